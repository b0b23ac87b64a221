#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of host/tests/run and contain, on a tree with other tests.
bats_require_minimum_version 1.5.0
load helper

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  mkdir -p "tree with spaces/host/tests" build/tests
  cp "$tests/run" "tree with spaces/host/tests"
  ln -s "$build/tests/contain" build/tests/contain
  run=(env "BUILD=$PWD/build" "$PWD/tree with spaces/host/tests/run")
}

# put FILE NAME COMMAND...: writes a bats file with a test that runs the commands.
put() {
  {
    echo '#!/usr/bin/env bats'
    echo "@test \"$2\" {"
    printf '  %s\n' "${@:3}"
    echo '}'
  } >>"tree with spaces/host/tests/$1"
}

@test "several files at a time, reported in the order of --list" {
  # The tests wait for each other: run in sequence, they would never end.
  put a.bats first "touch '$PWD/a'" "until [ -e '$PWD/b' ]; do sleep 0.05; done" "sleep 0.2"
  put b.bats second "touch '$PWD/b'" "until [ -e '$PWD/a' ]; do sleep 0.05; done"
  run_apart "${run[@]}" --jobs 2
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(grep -o '^[a-z]*\.bats' <<<"$stdout")" = "a.bats
b.bats" ]
  [ "${lines[-1]}" = "2 passed, 0 failed, 0 skipped" ]
  run_apart "${run[@]}" --list
  [ "$stdout" = "a.bats
b.bats" ]
}

@test "the runner shows failed tests with their output and skipped tests with the reason" {
  put a.bats "it works" true
  put a.bats "it does not" 'echo "the reason"' false
  put b.bats "no need" 'skip "no machine"'
  run_apart "${run[@]}"
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $stdout == *"a.bats"*"1 passed, 1 FAILED"*"not ok 2 it does not"*"the reason"*"skipped: no need: no machine"* ]]
  [ "${lines[-1]}" = "1 passed, 1 failed, 1 skipped" ]
  run_apart "${run[@]}" --filter works a.bats
  [ "$status" = 0 ]
  [ "${lines[-1]}" = "1 passed, 0 failed, 0 skipped" ]
}

@test "a file without a report is a failure" {
  put a.bats "ends everything" 'kill -KILL "$PPID"'
  put b.bats fine true
  run_apart "${run[@]}"
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $stdout == *"a.bats"*"FAILED: "*"exit code"*"b.bats"*"1 passed"* ]]
  [[ ${lines[-1]} == [12]" passed, 1 failed, 0 skipped" ]]
}

@test "a leaked process or file is a failure, and the process is killed" {
  put a.bats "leaves a process" 'setsid sleep 12345 3>&- >/dev/null 2>&1 &'
  put b.bats "leaves a file" 'touch "${BATS_RUN_TMPDIR%/*}/forgotten"'
  run_apart "${run[@]}"
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $stdout == *a.bats*"left behind"*" sleep 12345"*b.bats*"left behind"*/forgotten* ]]
  [ "${lines[-1]}" = "2 passed, 2 failed, 0 skipped" ]
  nothing_left build build/tests build/tests/contain "tree with spaces" "tree with spaces/host" \
    "tree with spaces/host/tests" "tree with spaces/host/tests"/{run,a.bats,b.bats}
}

# interrupted SIGNAL CODE: at any point the runner ends at once, with all processes that it
# started.
interrupted() {
  put a.bats sleeps "setsid sleep 12345 3>&- & timeout 12345 sleep 12345 & touch '$PWD/begun'" wait
  # A background job of a shell without a terminal ignores SIGINT.
  run_apart "$python" -c '
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
p = subprocess.Popen(sys.argv[3:], start_new_session=True)
while not os.path.exists("begun"):
    time.sleep(0.05)
os.kill(p.pid, int(sys.argv[1]))
sys.exit(p.wait() != int(sys.argv[2]))' "$1" "$2" "${run[@]}" --jobs 1
  echo "$status: $stdout$stderr"
  [ "$status" = 0 ]
  [[ $stderr == *"interrupted: 0 of 1 files were done"* ]]
  rm -r begun build tree*
  nothing_left
}

@test "SIGINT ends all processes of the runner" { interrupted 2 130; }
@test "SIGTERM ends all processes of the runner" { interrupted 15 143; }

@test "contain: exit codes, the limit, orphans of other sessions" {
  contain=$build/tests/contain
  refused 125 "usage: contain" "$contain"
  refused 126 "nonexistent: No such file" "$contain" ./nonexistent
  run_apart "$contain" sh -c 'exit 7'
  [ "$status" = 7 ]
  run_apart "$contain" sh -c 'kill -KILL $$'
  [ "$status" = 137 ]
  run_apart "$contain" --limit 0.2 sh -c 'setsid sleep 12345 & sleep 12345'
  [ "$status" = 124 ]
  # contain waits for the orphan to end, and not longer.
  run_apart "$contain" --left left sh -c 'setsid sleep 0.3 & exit 3'
  [ "$status" = 3 ]
  [ ! -e left ]
}

@test "the runner says how much CPU time a test used" {
  put a.bats "it works" 'load "$BATS_TEST_DIRNAME/helper"' \
    '"$build/tests/contain" bash -c "for ((i = 0; i < 300000; i++)); do :; done"'
  cp "$tests/helper.bash" "tree with spaces/host/tests"
  mkdir "tree with spaces/scripts"
  cp "$top/scripts/places.sh" "tree with spaces/scripts"
  run_apart "${run[@]}" --times "times"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -qE '^run: [0-9]+ s, of CPU [0-9]+ s$' <<<"$stderr"
  cat times
  grep -qE $'^[0-9]+\.[0-9]\ta.bats\tit works$' times
  [ "$(cut -f 1 times)" != 0.0 ]
  run_apart "$build/tests/contain" --cpu cpu bash -c 'bash -c "until read -ra stat </proc/\$\$/stat && ((stat[13] + stat[14] >= 30)); do :; done"; true'
  [ "$status" = 0 ]
  awk '{ exit !($1 >= 0.3 && $1 < 60) }' cpu
}

# Of others, an optimized program may be old.
@test "unit tests run with sanitizers; optimized if they are listed, named, or built in no other way" {
  local name
  mkdir -p build/asan/tests
  put a.bats first true
  printf '# A comment: unit_b\nunit_a\tprocess\n' >"tree with spaces/host/tests/optimized"
  for name in unit_a unit_b unit_c; do
    touch "tree with spaces/host/tests/$name.c"
    ln -s "$build/tests/contain" build/tests/$name
  done
  ln -s "$build/tests/contain" build/asan/tests/unit_a
  ln -s "$build/tests/contain" build/asan/tests/unit_b
  run_apart "${run[@]}" --list
  echo "$stdout$stderr"
  [ "$stdout" = $'a.bats\nunit_a (sanitized)\nunit_b (sanitized)\nunit_a\nunit_c' ]
  run_apart "${run[@]}" --list unit_b
  [ "$stdout" = $'unit_b (sanitized)\nunit_b' ]
}

@test "host/tests/optimized lists unit tests that exist, each with a reason" {
  local name why
  while IFS=$'\t' read -r name why; do
    [ -f "$tests/$name.c" ]
    [[ $why == @(process|figures) ]]
  done < <(grep -v '^#' "$tests/optimized")
  [ "$(grep -vc '^#' "$tests/optimized")" -gt 10 ]
}

@test "bad usage of the runner" {
  refused 2 "unknown option --xyzzy" "${run[@]}" --xyzzy
  refused 2 "--jobs needs a value" "${run[@]}" --jobs
  refused 2 "--jobs 0: not a number" "${run[@]}" --jobs 0
  refused 2 "no test file is called xyzzy" "${run[@]}" xyzzy
  rm build/tests/contain
  put a.bats fine true
  refused 2 "contain is not built" "${run[@]}"
}

@test "the tests of a run find out once whether Bochs is built, for each folder of emulators" {
  local i
  mkdir -p copy/scripts shared here there
  printf '#!/bin/sh\necho >>"%s/calls"\n[ "$WORLDSWITCH_EMULATORS" = here ]\n' "$PWD" >copy/scripts/emulator.sh
  chmod +x copy/scripts/emulator.sh
  export WS_SHARED=$PWD/shared
  for i in 1 2; do
    (top=copy WORLDSWITCH_EMULATORS=here && export WORLDSWITCH_EMULATORS && need_built_bochs)
  done
  [ "$(wc -l <calls)" = 1 ]
  for i in 1 2; do
    WORLDSWITCH_EMULATORS=there WORLDSWITCH_CACHE=none run bash -c \
      '. "$0/helper.bash"; skip() { echo "skipped: $*"; exit; }; top=copy; need_built_bochs' "$tests"
    [[ $output == 'skipped: the emulator of the x86 labs is not built'* ]]
  done
  [ "$(wc -l <calls)" = 2 ]
}

# The Neoverse N1 clears a huge page by 32,768 DC ZVA, which once took longer than the limit of
# a boot.
@test "lab:aarch64-vhe-n1: an event of 10^5 instructions does not count as a hang" {
  need_target lab:aarch64-vhe-n1
  "$wsbench" run --quiet --on lab:aarch64-vhe-n1 --bench fault_first_touch_2m --boots 1 --events 20 -o n1.json >/dev/null
  holds n1.json '[b["status"] for b in d["benchmarks"]] == ["ok"]'
  holds n1.json 'd["benchmarks"][0]["metrics"][0]["estimate"]["value"] > 100000'
}
