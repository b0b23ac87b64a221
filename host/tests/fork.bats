#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Labs on QEMU: clones are forks of a server, with all of its threads. Figures do not depend
# on that, and a lost process costs what it was doing.
bats_require_minimum_version 1.5.0
load helper

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  need_target lab:aarch64-vhe
  [ "$(uname -m)" = x86_64 ] || skip "QEMU is forked on x86_64 only"
}

rows=hypercall,mmio_read_user,vm_create,fault_first_touch_4k

# forked DOC OPTION...: measures the rows, and writes to `forks` the QEMUs whose parent is a QEMU.
forked() {
  local doc=$1 pid base bases children
  shift
  "$wsbench" run --on lab:aarch64-vhe --bench $rows --quiet -o "$doc" "$@" >out 2>err 3>&- &
  pid=$!
  : >forks
  while kill -0 $pid 2>/dev/null; do
    children $pid qemu
    bases=("${children[@]}")
    for base in "${bases[@]}"; do
      children "$base"
      [ ${#children[@]} = 0 ] || printf '%s\n' "${children[@]}" >>forks
    done
    nap 0.02
  done
  wait $pid
}

# without_library COMMAND...: as on a machine where QEMU cannot be forked.
without_library() {
  mkdir -p libexec
  ln -sf "$build"/*/ "$build"/libwsbench-trace-* libexec
  WORLDSWITCH_LIBEXEC=$PWD/libexec "$@"
}

@test "fork: figures of forks are those of processes that load the machine" {
  forked forks.json
  [ -s forks ]
  without_library forked processes.json
  [ ! -s forks ]
  cmp <(benchmarks_text forks.json) <(benchmarks_text processes.json)
}

@test "fork: figures do not depend on the other rows" {
  local row
  forked all.json
  for row in ${rows//,/ }; do
    run_apart "$wsbench" run --on lab:aarch64-vhe --bench "$row" --quiet -o "$row.json"
    [ "$status" = 0 ]
    [ "$(doc all.json "b('$row')['metrics']")" = "$(doc "$row.json" "b('$row')['metrics']")" ]
  done
}

@test "fork: explain counts what run reports, also in rows that depend on the warm-up" {
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench dirty_log_clear --quiet -o run.json
  [ "$status" = 0 ]
  run_apart "$wsbench" explain --on lab:aarch64-vhe --bench dirty_log_clear --quiet -o explained.json
  echo "$stderr"
  [ "$status" = 0 ]
  "$python" "$tests/subsets.py" total run.json dirty_log_clear default explained.json
}

# explained FOLDER: what explains the rows, with each count of kinds, without the run.
explained() {
  "$wsbench" explain --on lab:aarch64-vhe --bench hypercall,mmio_read_user,irq_inject,memslot_create \
    --kinds --quiet -o "$1/" >"$1.txt"
  "$python" - "$1" >"$1.all" <<'END'
import glob, json, sys
for path in sorted(glob.glob(sys.argv[1] + "/*.json")):
    document = json.load(open(path))
    del document["run"]
    print(json.dumps(document, sort_keys=True))
END
}

@test "fork: forks record what processes record, each its own row" {
  explained forks 3>&-
  without_library explained processes 3>&-
  [ "$(wc -l <forks.all)" = 4 ]
  cmp forks.txt processes.txt
  cmp forks.all processes.all
}

@test "fork: a QEMU to which the kernel denies forks is not forked, and figures are equal" {
  mkdir bin
  cat >bin/qemu-system-aarch64 <<END
#!/bin/sh
case \$* in *" -incoming "*) set -- "\$@" -sandbox on,spawn=deny ;; esac
exec $(command -v qemu-system-aarch64) "\$@"
END
  chmod +x bin/qemu-system-aarch64
  forked forks.json
  WORLDSWITCH_CONFINE=0 forked denied.json --emulator "$PWD/bin"
  cat err
  [ ! -s forks ]
  cmp <(benchmarks_text forks.json) <(benchmarks_text denied.json)
}

# lose WHICH: measures rows and kills the server ("server") or the first fork of a row ("fork").
lose() {
  local pid i base clone children
  "$wsbench" run --on lab:aarch64-vhe --bench $rows --events 2000 --quiet -o lost.json >out 2>err 3>&- &
  pid=$!
  # Not the fork that describes the machine.
  for ((i = 0; i < 2000; i++)); do
    children $pid qemu
    base=${children[0]:-} clone=
    if [ -n "$base" ]; then
      children "$base"
      clone=${children[*]: -1}
    fi
    [ -z "$clone" ] || echo "$clone" >>clones
    [ ! -e clones ] || [ "$(sort -u clones | wc -l)" -lt 2 ] || break
    nap 0.01
  done
  if [ "$1" = server ]; then kill -9 "$base"; else kill -9 "$clone"; fi
  wait $pid || true
  cat err
}

@test "fork: a server that is killed is started again, and no row is lost" {
  forked undisturbed.json --events 2000
  lose server
  cmp <(benchmarks_text undisturbed.json) <(benchmarks_text lost.json)
}

@test "fork: a fork that is killed costs its row" {
  lose fork
  holds lost.json 'sorted(x["status"] for x in d["benchmarks"]) == ["fail", "ok", "ok", "ok"]' \
    '[x for x in d["benchmarks"] if x["status"] == "fail"][0]["reason"].count("was killed by signal 9") == 1'
}

@test "fork: no process outlives a run that is killed" {
  local pid forks base bases children i
  "$wsbench" run --on lab:aarch64-vhe --bench $rows --events 20000 --quiet >out 2>err 3>&- &
  pid=$!
  for ((i = 0; i < 2000; i++)); do
    children $pid qemu
    bases=("${children[@]}") forks=
    for base in "${bases[@]}"; do
      children "$base"
      forks+=" ${children[*]}"
    done
    forks=${forks//  / }
    [ -z "${forks// /}" ] || break
    nap 0.01
  done
  [ -n "$forks" ]
  kill -9 $pid
  for ((i = 0; i < 100; i++)); do
    # shellcheck disable=SC2086  # words
    kill -0 $forks 2>/dev/null || break
    sleep 0.1
  done
  [ "$i" -lt 100 ]
}
