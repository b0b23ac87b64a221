#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Labs that are silent, talk without end, or send what is not true: hostile_lab.c replaces
# the emulator. The run ends in time, with one clear line, and keeps what it has measured.
bats_require_minimum_version 1.5.0
load helper

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  need_target lab:aarch64-vhe
  mkdir bin
  ln -s "$build/tests/hostile_lab" bin/qemu-system-aarch64
  export WORLDSWITCH_FRESH_MACHINES=1
}

# lab HOSTILE ROWS OPTION...: measures rows in the lab, and writes doc.json.
lab() {
  local hostile=$1 rows=$2
  shift 2
  HOSTILE=$hostile run_apart "$wsbench" run --quiet --on lab:aarch64-vhe --emulator "$PWD/bin" --bench "$rows" --boots 2 \
    --events 20 -o doc.json "$@"
  echo "$hostile: exit code $status, stdout: $stdout, stderr: $stderr"
}

good='vm_create,memslot_move,memslot_create'

# kept ROW...: these rows have their figures.
kept() {
  local row
  for row; do
    holds doc.json "b('$row')['status'] == 'ok' and value('$row') == 1000 and len(m('$row')['boots']) == 2"
  done
}

@test "hostile lab: the stand-in answers jobs as a machine does" {
  lab '' "$good"
  [ "$status" = 0 ]
  kept vm_create memslot_move memslot_create
  nothing_left doc.json bin bin/qemu-system-aarch64
}

@test "hostile lab: a row that never ends costs this row, by its --timeout" {
  lab 'state_get_all=silence state_sync_lazy=noise' "state_get_all,state_sync_lazy,$good" --timeout 1
  [ "$status" = 4 ]
  kept vm_create memslot_move memslot_create
  holds doc.json 'b("state_get_all")["status"] == "fail" and not d["run"]["partial"]' \
    '"no output from the job for 24 s" in b("state_get_all")["reason"]' \
    '"no output from the job for 24 s" in b("state_sync_lazy")["reason"]'
  nothing_left doc.json bin bin/qemu-system-aarch64
}

@test "hostile lab: a stuck emulator costs its row, long before the limit of a silent one" {
  lab 'state_get_all=stuck' "state_get_all,$good"
  [ "$status" = 4 ]
  kept vm_create memslot_move memslot_create
  holds doc.json 'b("state_get_all")["status"] == "fail" and not d["run"]["partial"]' \
    '"stuck" in b("state_get_all")["reason"]'
}

@test "hostile lab: what is not true on the wire costs one row, and little time" {
  local mode
  for mode in 'bombs:frame 3 on the wire' 'damage:damaged bytes on the wire' 'garbage:damaged bytes on the wire' \
    'header-bombs:damaged bytes on the wire' 'empty:unexpected frame 4 on the wire' 'truncate:the wire cannot be truncated'; do
    # Well within the time of a silent row.
    lab "state_get_all=${mode%%:*}" "state_get_all,$good" --lab-timeout 100
    [ "$status" = 4 ]
    kept vm_create memslot_move memslot_create
    holds doc.json 'b("state_get_all")["status"] == "fail" and not d["run"]["partial"]' \
      "'${mode#*:}' in b('state_get_all')['reason']"
  done
}

@test "hostile lab: a job without an end after its last report costs this row" {
  lab 'state_get_all=no-end' "state_get_all,$good" --lab-timeout 3
  [ "$status" = 4 ]
  kept vm_create memslot_move memslot_create
  holds doc.json 'b("state_get_all")["status"] == "fail" and b("state_get_all")["metrics"] == []'
}

@test "hostile lab: --lab-timeout ends a run, which keeps what it has" {
  lab 'state_get_all=silence state_sync_lazy=noise' "$good,state_get_all,state_sync_lazy,dirty_log_get" --lab-timeout 3
  [ "$status" = 4 ]
  one_line "$stderr"
  [[ $stderr == *"wsbench: error: lab:aarch64-vhe: the run was not done after 3 s (--lab-timeout)" ]]
  kept vm_create memslot_move memslot_create
  holds doc.json 'd["run"]["partial"]' 'b("state_get_all")["status"] == "fail"' \
    '"the run was not done after 3 s (--lab-timeout)" in b("state_get_all")["reason"]' \
    '"the run was not done after 3 s (--lab-timeout)" in b("state_sync_lazy")["reason"]'
  nothing_left doc.json bin bin/qemu-system-aarch64
  "$wsbench" validate doc.json
}

@test "hostile lab: a machine that does not describe itself ends in time" {
  local mode
  for mode in silence noise; do
    lab "describe=$mode" "$good" --lab-timeout 2
    [ "$status" = 4 ]
    [[ $stderr == "wsbench: error: lab:aarch64-vhe: the run was not done after 2 s (--lab-timeout)" ]]
  done
  lab 'describe=header-bombs' "$good" --lab-timeout 100
  [ "$status" = 4 ]
  [[ $stderr == "wsbench: error: lab:aarch64-vhe: "*"damaged bytes on the wire" ]]
}

@test "hostile lab: an emulator that does not answer has no more time than the run" {
  local who
  SECONDS=0
  for who in boot clone; do
    lab "$who=deaf" "$good" --lab-timeout 3
    [ "$status" = 4 ]
    [[ $stderr == "wsbench: error: lab:aarch64-vhe: the run was not done after 3 s (--lab-timeout)" ]]
    [ "$SECONDS" -lt 50 ]
  done
}

@test "hostile lab: a signal ends a run whose lab does not stop talking" {
  HOSTILE='state_get_all=noise' "$wsbench" run --quiet --on lab:aarch64-vhe --emulator "$PWD/bin" \
    --bench "$good,state_get_all" --boots 2 --events 20 -o doc.json >out 2>err &
  sleep 3
  kill -TERM $!
  SECONDS=0
  wait $! || true
  [ "$SECONDS" -lt 10 ]
  kept vm_create memslot_move memslot_create
  holds doc.json 'd["run"]["partial"]'
}

@test "hostile lab: a signal ends a run whose emulator does not stop talking before the job" {
  local who
  for who in boot clone; do
    HOSTILE="$who=talk" "$wsbench" run --quiet --on lab:aarch64-vhe --emulator "$PWD/bin" --bench "$good" --boots 2 \
      --events 20 -o doc.json >out 2>err &
    sleep 1.5
    kill -TERM $!
    SECONDS=0
    wait $! || true
    [ "$SECONDS" -lt 10 ]
  done
}

# bochs HOSTILE ROWS OPTION...: like lab(), with a stand-in for Bochs, whose boots are lines of
# the file `boots`.
bochs() {
  local hostile=$1 rows=$2 name
  shift 2
  need_target lab:x86_64-svm
  need_built_bochs
  name=$("$top/scripts/emulator.sh" path bochs)
  mkdir emulators
  ln "$build/tests/hostile_lab" "emulators/${name##*/}"
  # The stand-in writes a file.
  WORLDSWITCH_CONFINE=0 WORLDSWITCH_EMULATORS=$PWD/emulators BOOTS=$PWD/boots HOSTILE=$hostile \
    run_apart "$wsbench" run --quiet --on lab:x86_64-svm --bench "$rows" --boots 2 --events 20 -o doc.json "$@"
  echo "$hostile: exit code $status, stdout: $stdout, stderr: $stderr"
  cat boots
}

@test "hostile lab: a Bochs that dies in every row is booted again eight times, and no more" {
  local rows=hypercall,vmm_overhead,cpuid,mmio_read_user,mmio_write_user,mmio_write_user_1,mmio_write_user_2,mmio_write_user_8
  rows+=,vm_create,memslot_move,memslot_create
  bochs "${rows//,/=dies }=dies" "$rows"
  [ "$status" = 4 ]
  holds doc.json 'all(x["status"] == "fail" for x in d["benchmarks"])'
  [ "$(wc -l <boots)" = 9 ]
}

# 24 s, as for a job without a frame; 120 s without --timeout.
@test "hostile lab: a Bochs that does not answer is booted again within the time of --timeout" {
  bochs hypercall=deaf hypercall --timeout 1 --lab-timeout 40
  [ "$status" = 4 ]
  [ "$(wc -l <boots)" = 2 ]
}

@test "hostile lab: --lab-timeout is for labs" {
  refused 2 "--lab-timeout: not for target bare:aarch64: only labs" "$wsbench" run --on bare:aarch64 --bench null --lab-timeout 5
}
