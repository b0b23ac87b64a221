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

# status_of PID: the lines of /proc/PID/status, and its limits, in one line; nothing if it runs no
# guest, as an emulator that prints its version, or a VMM that has no VM.
status_of() {
  local line limits
  # Of QEMU, and of Bochs. Of a process that ends, the command line is empty first.
  line=$(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") || return 0
  [[ -n $line && $line != *\ @(-version|--version|--help)\ * ]] || return 0
  [ "$program" != wsbench ] || [ -n "$(find "/proc/$1/fd" -lname '*kvm-vm' 2>/dev/null)" ] || return 0
  line=$(grep -E '^(Uid|CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' "/proc/$1/status" | tr -s '\t\n' '  ') || return 0
  limits=$(grep -E '^Max (core|address|file size)' "/proc/$1/limits" | sed 's/  *[a-z]* *$//' |
    grep -o '[0-9]*$' | tr '\n' ' ') || return 0
  echo "$line$limits"
}

# statuses PROGRAM COMMAND...: the statuses of the children of COMMAND whose name begins with
# PROGRAM, while it runs, each different one once. A child stops while it is read: on a busy
# machine, it would end.
statuses() {
  local program=$1 pid child children
  shift
  "$@" >out 2>err 3>&- &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    children $pid "$program"
    for child in "${children[@]}"; do
      kill -STOP "$child" 2>/dev/null || continue
      status_of "$child" 2>/dev/null
      kill -CONT "$child" 2>/dev/null || true
    done
    nap 0.02
  done | grep NoNewPrivs | sort -u
  wait $pid
}

# confined TEXT [CAPABILITIES]: at least one line, and all have a filter and no capabilities
# but these. (Only root can change the bounding set, which is of no use without new privileges.)
confined() {
  local capabilities=${2:-0000000000000000}
  echo "$1"
  [ -n "$1" ] &&
    ! grep -v "CapPrm: $capabilities CapEff: $capabilities CapBnd: [0-9a-f]* NoNewPrivs: 1 Seccomp: 2" <<<"$1"
}

@test "confine: an emulator has no privileges while a guest runs" {
  local target program text limits=' [0-9]+ 0 [0-9]+ $'
  need_confinement
  for target in bare:x86_64 bare:aarch64 lab:x86_64-svm lab:aarch64-vhe; do
    ! unavailable $target >/dev/null || continue
    case $target in
    lab:x86_64-svm) program=bochs ;;
    *) program=qemu ;;
    esac
    # Sizes of a file, of a core file, and of the address space. On a busy machine, an emulator
    # can end before it is seen, or between its status and its limits.
    for _ in {1..10}; do
      text=$(statuses $program "$wsbench" run --on $target --bench null --boots 4 --events 2000 --quiet)
      ! grep -qE "$limits" <<<"$text" || break
    done
    echo "$target"
    confined "$text"
    grep -qE "$limits" <<<"$text"
  done
}

@test "confine: nor has the emulator that another user starts" {
  local target program text emulators as=()
  need_confinement
  need_target bare:x86_64
  need_target bare:x86_64-bochs
  as_user test -x "$wsbench" || skip "other users cannot execute $wsbench"
  [ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  # That user cannot enter the folder of the test.
  emulators=$(mktemp -d -p /tmp)
  cp "$("$top/scripts/emulator.sh" path bochs)" "$emulators"
  chmod -R a+rX "$emulators"
  for target in bare:x86_64 bare:x86_64-bochs; do
    program=bochs
    [ $target != bare:x86_64 ] || program=qemu
    for _ in {1..10}; do
      text=$(HOME=/ WORLDSWITCH_EMULATORS=$emulators statuses $program "${as[@]}" \
        "$wsbench" run --on $target --bench null --boots 8 --events 2000 --quiet) || true
      [ -z "$text" ] || break
    done
    echo "$target: $text" >>seen
  done
  rm -r "$emulators"
  cat seen
  confined "$(sed 's/^bare[^ ]*: //' seen)"
  grep -q 'bochs: Uid: [1-9]' seen
  grep -q '86_64: Uid: [1-9]' seen
  run ! grep 'Uid: 0 ' seen
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

# Such as /root/.cache.
@test "confine: an emulator in a folder that only root can enter is not root's" {
  local text target program
  need_confinement
  [ "$(id -u)" = 0 ] || skip "not root"
  need_target lab:x86_64-svm
  need_target bare:x86_64
  mkdir -m 700 private
  mkdir -m 755 private/emulators private/bin
  cp "$("$top/scripts/emulator.sh" path bochs)" private/emulators/
  printf '#!/bin/sh\nexec %s "$@"\n' "$(command -v qemu-system-x86_64)" >private/bin/qemu-system-x86_64
  chmod 755 private/bin/*
  for target in lab:x86_64-svm bare:x86_64-bochs bare:x86_64; do
    program=bochs
    [ $target != bare:x86_64 ] || program=qemu
    for _ in {1..10}; do
      text=$(WORLDSWITCH_EMULATORS=$PWD/private/emulators PATH=$PWD/private/bin:$PATH \
        statuses $program "$wsbench" run --on $target --bench null --boots 8 --events 2000 --quiet -o doc.json)
      [ -z "$text" ] || break
    done
    echo "$target"
    confined "$text"
    run ! grep -v 'Uid: 65534 65534 65534 65534 ' <<<"$text"
    holds doc.json '[c["value"] for c in d["environment"]["checks"] if c["id"] == "confinement"] == ["all"]'
    rm doc.json
  done
}

@test "confine: figures are the same without confinement" {
  local target
  # No machine is saved: the emulator boots its machine while it is confined, and the other run restores it.
  own_machines
  for target in lab:x86_64-svm lab:aarch64-vhe; do
    ! unavailable $target >/dev/null || continue
    run_apart "$wsbench" run --on $target --bench vmm_overhead,hypercall --quiet -o with.json
    [ "$status" = 0 ]
    [ "$(find "$WORLDSWITCH_CACHE/machines" -type f | wc -l)" -gt 0 ]
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

# As a cache that was made with a umask of 077.
@test "confine: an emulator whose own folder or file is root's alone is not root's" {
  local text target program
  need_confinement
  [ "$(id -u)" = 0 ] || skip "not root"
  need_target lab:x86_64-svm
  need_target bare:x86_64
  mkdir -m 700 closed
  cp "$("$top/scripts/emulator.sh" path bochs)" closed/
  chmod 700 closed/*
  ln -s "$(command -v qemu-system-x86_64)" closed/
  for target in lab:x86_64-svm bare:x86_64; do
    # A process of a descriptor has its number as its name; of a link, the name of the file.
    program=31
    [ $target = lab:x86_64-svm ] || program=qemu
    for _ in {1..10}; do
      text=$(WORLDSWITCH_EMULATORS=$PWD/closed PATH=$PWD/closed:$PATH \
        statuses $program "$wsbench" run --on $target --bench null --boots 8 --events 2000 --quiet -o doc.json)
      [ -z "$text" ] || break
    done
    echo "$target"
    confined "$text"
    run ! grep -v 'Uid: 65534 65534 65534 65534 ' <<<"$text"
    holds doc.json '[c["value"] for c in d["environment"]["checks"] if c["id"] == "confinement"] == ["all"]'
    rm doc.json
  done
  # And `env check` says it.
  WORLDSWITCH_EMULATORS=$PWD/closed PATH=$PWD/closed:$PATH "$wsbench" env check --json >check.json || true
  holds check.json '{(c["uid"], c["lacks"]) for c in d["confinement"] if "Bochs" in c["kind"]} == {(65534, "")}'
}

# confinement NAME: a member of the kinds of target that can run here, by `env check`.
confinement() {
  "$@" "$wsbench" env check --json >check.json || true
  holds check.json '[c["kind"] for c in d["confinement"]] == ["kvm", "lab, QEMU", "lab, Bochs", "bare, QEMU", "bare, Bochs"]' \
    'all(c["reason"] or c["target"] for c in d["confinement"])'
}

@test "confine: env check says how guests of each kind of target are confined" {
  local limits='(c["memory_bytes"], c["file_bytes"], c["core_bytes"])'
  need_confinement
  need_target bare:x86_64
  confinement
  holds check.json 'all(c["reason"] or (c["seccomp"], c["lacks"]) == (2, "") and c["landlock"] > 0 and c["uid"] for c in d["confinement"])' \
    "all(c['reason'] or $limits == (32 << 30, 64 << 30, 0) for c in d['confinement'] if c['kind'] != 'kvm')" \
    'all(c["reason"] or int(c["capabilities"], 16) in (0, 1 << 19 | 1 << 38) for c in d["confinement"])' \
    'not [c for c in d["confinement"] if c["target"] == "bare:x86_64"][0]["reason"]'
  # A table, and the reasons for which others cannot run here.
  HOME=$PWD/home WORLDSWITCH_CACHE=$PWD/cache run_apart "$wsbench" env check
  [[ $stdout == *"confinement of"*lacks*"bare, QEMU "*" filtered "*nothing* ]]
  [[ $stdout == *"cannot run here: no kernel for aarch64"* ]]
  # Without confinement.
  WORLDSWITCH_CONFINE=0 run_apart "$wsbench" env check
  [[ $stdout == *"bare, QEMU "*" all "*"off (WORLDSWITCH_CONFINE=0)"* ]]
  # As a user.
  if [ "$(id -u)" = 0 ] && as_user test -x "$wsbench"; then
    confinement as_user env HOME="$PWD"
    holds check.json '[(c["seccomp"], c["uid"], c["lacks"]) for c in d["confinement"] if c["kind"] == "bare, QEMU"] == [(2, 65534, "")]'
  fi
}

@test "confine: env check and the document say what an old kernel does not offer" {
  need_confinement
  need_target bare:x86_64
  # No Landlock, as before Linux 5.13.
  confinement "$python" "$tests/failing_call.py" landlock_create_ruleset ENOSYS
  holds check.json 'all(c["reason"] or (c["landlock"], c["lacks"]) == (0, "files, signals") for c in d["confinement"])' \
    '[(s["value"], s["status"]) for s in d["settings"] if s["id"] == "confinement"] == [("all but: files, signals", "warn")]'
  run_apart "$python" "$tests/failing_call.py" landlock_create_ruleset ENOSYS \
    "$wsbench" run --on bare:x86_64 --bench null --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[(c["value"], c["status"]) for c in d["environment"]["checks"] if c["id"] == "confinement"] == [("all but: files, signals", "warn")]'
}

@test "confine: the document says that an emulator stays root" {
  local bin=$PWD/bin
  need_confinement
  need_target bare:x86_64
  [ "$(id -u)" = 0 ] || skip "not root"
  # A script in a folder that only root can enter.
  mkdir -m 700 bin
  printf '#!/bin/sh\nexec %s "$@"\n' "$(command -v qemu-system-x86_64)" >bin/qemu-system-x86_64
  chmod 755 bin/*
  PATH=$bin:$PATH run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[(c["value"], c["status"]) for c in d["environment"]["checks"] if c["id"] == "confinement"] == [("all but: not root", "warn")]' \
    'any(w["code"] == "confinement" and "folder that is closed to other users" in w["message"] for w in d["warnings"])'
  [[ $stdout$stderr == *"the emulator has root's user id"* ]]
}

@test "confine: an emulator has the descriptors of its own target only" {
  local pid child children found=
  need_target bare:x86_64
  : >secret
  # On a busy machine, an emulator can end between two samples.
  for _ in {1..10}; do
    "$wsbench" run --on bare:x86_64,bare:aarch64 --jobs 2 --bench null --boots 8 --events 2000 --quiet >out 2>err 3>&- 20>secret &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
      children $pid
      for child in "${children[@]}"; do
        [[ $(tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null) == qemu-system-*/proc/self/fd/* ]] || continue
        find "/proc/$child/fd/" -type l -printf '%l ' -exec stat -L -c %i {} \; >fds 2>/dev/null || true
        grep -oE 'worldswitch-ram .deleted. [0-9]+$' fds >rams || continue
        found=yes
        # Its own memory; QEMU opens it a second time.
        if grep '/secret' fds || [ "$(sort -u rams | wc -l)" -gt 1 ]; then
          cp fds foreign
        fi
      done
      nap 0.01
    done
    wait $pid
    [ -z "$found" ] || break
  done
  [ -n "$found" ]
  run ! cat foreign
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

# vmm_is_confined COMMAND...: of a wsbench that runs guests on kvm, as root and as a user.
vmm_is_confined() {
  local as text run
  need_confinement
  need_target kvm
  for as in root user; do
    run=("$@")
    if [ $as = user ]; then
      # A user of the group that may open /dev/kvm.
      [ "$(id -u)" = 0 ] || break
      run=(setpriv --reuid 65534 --regid "$(stat -c %g /dev/kvm)" --clear-groups "$@")
      as_user test -x "$wsbench" || break
    fi
    text=$(statuses wsbench "${run[@]}")
    echo "$as"
    # Of root's: CAP_PERFMON and CAP_SYS_PTRACE.
    if [ "$(id -u)" = 0 ] && [ $as = root ]; then
      confined "$text" 0000004000080000
      run ! grep 'Uid: 0 ' <<<"$text"
    else
      confined "$text"
    fi
  done
}

@test "confine: the VMM has no privileges and no files while a guest runs" {
  vmm_is_confined "$wsbench" run --on kvm --bench mmio_read_user --boots 4 --events 2000 --quiet
}

@test "confine: nor has the VMM of the self-tests" {
  vmm_is_confined "$wsbench" selftest regs-drain regs-always checkpoint vcpus-2
}

@test "confine: results of sudo belong to the user" {
  need_target bare:x86_64
  [ "$(id -u)" = 0 ] || skip "not root"
  chown 12345 .
  SUDO_UID=12345 SUDO_GID=12346 run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o new/folder/
  [ "$status" = 0 ]
  [ "$(stat -c %u:%g new new/folder new/folder/*.json | sort -u)" = 12345:12346 ]
  # Histories, a torn line, pictures and reports, too.
  export SUDO_UID=12345 SUDO_GID=12346
  run_apart "$wsbench" history add --db h.jsonl new/folder/*.json
  [ "$status" = 0 ]
  printf '{"schema":' >>h.jsonl
  run_apart "$wsbench" history add --db h.jsonl new/folder/*.json
  [ "$(stat -c %u:%g h.jsonl h.jsonl.torn | sort -u)" = 12345:12346 ]
  run_apart "$wsbench" report new/folder/*.json -o pages/
  [ "$status" = 0 ]
  [ "$(stat -c %u:%g pages pages/* | sort -u)" = 12345:12346 ]
  if command -v gnuplot; then
    run_apart "$wsbench" plot new/folder/*.json -o pictures/
    [ "$status" = 0 ]
    [ "$(stat -c %u:%g pictures pictures/* | sort -u)" = 12345:12346 ]
  fi
  unset SUDO_UID SUDO_GID
  # But nothing in a folder of root's.
  mkdir roots
  SUDO_UID=12345 SUDO_GID=12346 run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o roots/doc.json
  [ "$(stat -c %u roots/doc.json)" = 0 ]
}
