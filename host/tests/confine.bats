#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Confinement (host/lib/confine.h): what emulators and the VMM can do while a guest runs.
bats_require_minimum_version 1.5.0
load helper

# As another user than root, whatever the tests are run as.
as_user() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
  else
    "$@"
  fi
}

# Everything of host/lib/confine.h can be dropped here.
need_confinement() {
  "$wsbench" env check --json | python3 -c '
import json, sys
(c,) = [c for c in json.load(sys.stdin)["settings"] if c["id"] == "confinement"]
if c["status"] != "ok":
    sys.exit(c["value"] or "unknown")' 2>lacks || skip "$(cat lacks)"
}

# statuses PROGRAM COMMAND...: the lines of /proc/PID/status of the children of COMMAND whose
# name begins with PROGRAM, while it runs, each different one once. An emulator that prints its
# version runs no guest, and is not confined.
statuses() {
  local program=$1 pid child
  shift
  "$@" >out 2>err 3>&- &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    for child in $(pgrep -P $pid); do
      [[ $(cat "/proc/$child/comm" 2>/dev/null) == "$program"* ]] || continue
      grep -E '^(Uid|CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' "/proc/$child/status" 2>/dev/null |
        tr -s '\t\n' '  ' || true
      grep -E '^Max (core|address|file size)' "/proc/$child/limits" 2>/dev/null | sed 's/  *[a-z]* *$//' |
        grep -o '[0-9]*$' | tr '\n' ' ' || true
      echo
    done
    sleep 0.02
  done | grep 'NoNewPrivs: 1' | sort -u
  wait $pid
}

# confined TEXT: at least one line, and all have no capabilities and a filter.
confined() {
  echo "$1"
  [ -n "$1" ]
  ! grep -v 'CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0* NoNewPrivs: 1 Seccomp: 2' <<<"$1"
}

@test "confine: an emulator has no privileges while a guest runs" {
  local target program text
  need_confinement
  for target in bare:x86_64 bare:aarch64 lab:x86_64-svm lab:aarch64-vhe; do
    ! unavailable $target >/dev/null || continue
    case $target in
    lab:x86_64-svm) program=bochs ;;
    *) program=qemu ;;
    esac
    text=$(statuses $program "$wsbench" run --on $target --bench null --boots 4 --events 2000 --quiet)
    echo "$target"
    confined "$text"
    # Sizes of a file, of a core file, and of the address space.
    grep -qE ' [0-9]+ 0 [0-9]+ $' <<<"$text"
  done
}

@test "confine: an emulator that root starts is not root's if it can read its files" {
  local text
  need_confinement
  need_target lab:aarch64-vhe
  [ "$(id -u)" = 0 ] || skip "not root"
  as_user test -x "$(command -v qemu-system-aarch64)" || skip "other users cannot execute QEMU"
  text=$(statuses qemu "$wsbench" run --on lab:aarch64-vhe --bench null --quiet)
  echo "$text"
  [ -n "$text" ]
  run ! grep -v 'Uid: 65534 65534 65534 65534 ' <<<"$text"
  text=$(SUDO_UID=12345 SUDO_GID=12346 statuses qemu "$wsbench" run --on lab:aarch64-vhe --bench null --quiet)
  grep -q 'Uid: 12345 12345 12345 12345 ' <<<"$text"
}

@test "confine: figures are the same without confinement" {
  local target
  for target in lab:x86_64-svm lab:aarch64-vhe; do
    ! unavailable $target >/dev/null || continue
    run_apart "$wsbench" run --on $target --bench vmm_overhead,hypercall --quiet -o with.json
    [ "$status" = 0 ]
    WORLDSWITCH_CONFINE=0 run_apart "$wsbench" run --on $target --bench vmm_overhead,hypercall --quiet -o without.json
    [ "$status" = 0 ]
    cmp <(benchmarks_text with.json) <(benchmarks_text without.json)
    holds without.json 'next(c for c in d["environment"]["checks"] if c["id"] == "confinement")["status"] == "warn"'
    rm with.json without.json
  done
  nothing_left
}

@test "confine: the document says what is in effect" {
  need_confinement
  need_target bare:x86_64
  run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[(c["value"], c["status"]) for c in d["environment"]["checks"] if c["id"] == "confinement"] == [("all", "ok")]' \
    '[w for w in d["warnings"] if w["code"] == "confinement"] == []'
}

@test "confine: a QEMU without seccomp is named in the document" {
  need_target bare:x86_64
  mkdir bin
  # As a QEMU without seccomp does.
  cat >bin/qemu-system-x86_64 <<END
#!/bin/sh
case " \$* " in *" -sandbox "*) echo "-sandbox: there is no option group 'sandbox'" >&2; exit 1 ;; esac
exec $(command -v qemu-system-x86_64) "\$@"
END
  chmod +x bin/qemu-system-x86_64
  PATH=$PWD/bin:$PATH run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'b("null")["status"] == "ok"' \
    'any(w["code"] == "confinement" and "built without seccomp" in w["message"] for w in d["warnings"])'
}
