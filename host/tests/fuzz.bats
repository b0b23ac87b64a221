#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The inputs that the harnesses of host/tests/fuzz have collected and found, with ASan and
# UBSan, without libFuzzer: host/tests/fuzz/README.md.
bats_require_minimum_version 1.5.0
load helper

# replays SUBJECT: the corpus and what was found. The harness aborts if a property does not
# hold.
replays() {
  local harness=$build/asan/tests/fuzz_$1 found=("$tests/fuzz/found/$1"-*)
  [ -x "$harness" ] || skip "$harness is not built: make fuzz-replay"
  mkdir corpus
  tar -xJf "$tests/fuzz/corpus/$1.tar.xz" -C corpus
  [ -e "${found[0]}" ] || found=()
  run_apart "$harness" corpus "${found[@]}"
  echo "exit code $status: $stdout"
  tail -n 40 <<<"$stderr"
  [ "$status" = 0 ]
  [ "${stdout%% *}" = $(($(find corpus -type f | wc -l) + ${#found[@]})) ]
  rm -r corpus
  nothing_left
}

@test "fuzz: the page that a guest shares" {
  replays report
}

@test "fuzz: the wire of a lab" {
  replays wire
}

@test "fuzz: result documents" {
  replays result
}

@test "fuzz: explanation documents" {
  replays explanation
}

@test "fuzz: histories" {
  replays history
}

@test "fuzz: records of instructions and kallsyms" {
  replays trace
}

@test "fuzz: payloads, kernels and modules" {
  replays image
}

@test "fuzz: saved VMs" {
  replays checkpoint
}

@test "fuzz: the state of env tune" {
  replays tune
}

@test "fuzz: the cache of kernels and emulators" {
  replays cache
}

@test "fuzz: debug information" {
  replays debuginfo
}

@test "fuzz: each harness has a corpus and a test" {
  local source name n=0
  for source in "$tests"/fuzz/fuzz_*.c; do
    name=${source##*/fuzz_}
    [ -s "$tests/fuzz/corpus/${name%.c}.tar.xz" ]
    grep -q "^  replays ${name%.c}$" "$tests/fuzz.bats"
    n=$((n + 1))
  done
  [ "$n" -ge 11 ]
}

@test "fuzz: mutations of JSON are the same in each run, and reach what is behind the parser" {
  local harness=$build/asan/tests/fuzz_result
  [ -x "$harness" ] || skip "$harness is not built: make fuzz-replay"
  run_apart "$harness" --mutate 20 "$tests/result_v1.json"
  echo "exit code $status: $stdout"
  tail -n 40 <<<"$stderr"
  [ "$status" = 0 ]
  [ "$stdout" = '1 inputs, 20 mutations' ]
  nothing_left
}
