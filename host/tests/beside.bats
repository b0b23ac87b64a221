#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Exact targets that are measured beside each other (run --jobs): the same documents, a
# failure of one, signals, and kvm alone before them.
bats_require_minimum_version 1.5.0
load helper

need_both_bare() {
  need_target bare:x86_64
  need_target bare:aarch64
}

# figures FILE: the document without ids, times, the command line, and the host's state.
figures() {
  doc "$1" '(d["run"].clear(), d.pop("environment", None), __import__("json").dumps(d, indent=1))[2]'
}

@test "documents of targets beside each other are those of targets in turn" {
  need_both_bare
  local targets=bare:x86_64,bare:aarch64 t
  for t in lab:aarch64-vhe lab:x86_64-svm; do
    unavailable "$t" >/dev/null || targets+=,$t
  done
  local jobs
  for jobs in 1 3; do
    run_apart "$wsbench" run --on "$targets" --bench 'null,rdtsc,hypercall,hvc_*' --boots 2 \
      --jobs $jobs --quiet -o $jobs
    echo "$stderr"
    [ "$status" = 0 ]
    printf '%s\n' "$stdout" >$jobs.txt
  done
  diff 1.txt 3.txt
  for t in ${targets//,/ }; do
    diff <(figures "1/${t//:/-}.json") <(figures "3/${t//:/-}.json")
  done
  nothing_left 1 3 1.txt 3.txt 1/*.json 3/*.json
}

# Each emulator waits for the other: only emulators that run at the same time get on.
meet() {
  shim qemu-system-x86_64 1 "touch $PWD/x; for i in \$(seq 100); do [ ! -e $PWD/a ] || break; sleep 0.1; done; [ -e $PWD/a ] || exit 1"
  shim qemu-system-aarch64 1 "touch $PWD/a; for i in \$(seq 100); do [ ! -e $PWD/x ] || break; sleep 0.1; done; [ -e $PWD/x ] || exit 1"
}

@test "two targets run at the same time with --jobs 2, and not with --jobs 1" {
  need_both_bare
  [ "$(nproc)" -gt 1 ] || skip "one processor: one boot at a time"
  meet
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --boots 1 --jobs 2 --quiet
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  rm -f a x
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --boots 1 --jobs 1 --quiet
  [ "$status" = 4 ]
}

@test "pmu measures its targets at the same time" {
  need_both_bare
  [ "$(nproc)" -gt 1 ] || skip "one processor: one boot at a time"
  meet
  run_apart "$wsbench" pmu --on bare:x86_64,bare:aarch64 --boots 1 --quiet
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -q '^vPMU map, bare:x86_64,' <<<"$stdout"
  grep -q '^vPMU map, bare:aarch64,' <<<"$stdout"
}

# The documents are made up: each lab boots once, and finds another figure.
@test "compare --explain boots its labs at the same time, and prints them in their order" {
  local side kernel=() arch
  need_target lab:aarch64-vhe
  need_target lab:x86_64-svm-qemu
  [ "$(nproc)" -gt 1 ] || skip "one processor: one boot at a time"
  for arch in aarch64 x86_64; do
    kernel+=("$(basename "$(readlink -f "$(cache_dir)/kernels/$arch/default")")")
  done
  meet
  for side in base new; do
    mkdir $side
    lab_document $side/a.json lab:aarch64-vhe "${kernel[0]}" ${#side}
    lab_document $side/b.json lab:x86_64-svm-qemu "${kernel[1]}" $((10 - ${#side}))
  done
  run_apart "$wsbench" compare new base --explain=all --quiet
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [ "$(grep -oE '^base: .* Linux|not explained: Linux [^ ]+' <<<"$stdout" | awk '{ print $3, $4 }')" = \
    "lab:aarch64-vhe Linux
Linux ${kernel[0]}
lab:x86_64-svm-qemu Linux
Linux ${kernel[1]}" ]
}

@test "no more boots at a time than processors, whatever --jobs" {
  need_both_bare
  meet
  run_apart taskset -c 0 "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --boots 1 --jobs 2 --quiet
  [ "$status" = 4 ]
}

@test "kvm is measured alone, before the others" {
  need_both_bare
  need_target kvm
  shim qemu-system-x86_64 1 "[ -e $PWD/docs/kvm.json ] || exit 1"
  shim qemu-system-aarch64 1 "[ -e $PWD/docs/kvm.json ] || exit 1"
  run_apart "$wsbench" run --on bare:x86_64,kvm,bare:aarch64 --bench null --jobs 2 --quiet -o docs
  echo "$stdout$stderr"
  holds docs/bare-x86_64.json 'b("null")["status"] == "ok"'
  holds docs/bare-aarch64.json 'b("null")["status"] == "ok"'
  # The table is in the order of the command line.
  grep -Eq '^ *x86_64  *kvm  *aarch64$' <<<"$stdout"
}

@test "a target that fails does not stop the others" {
  need_both_bare
  shim qemu-system-x86_64 1 "exit 1"
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --jobs 2 --quiet -o docs
  [ "$status" = 4 ]
  holds docs/bare-aarch64.json 'b("null")["status"] == "ok"' 'not d["run"]["partial"]'
  holds docs/bare-x86_64.json 'b("null")["status"] == "fail"'
}

# interrupted SIGNAL: the signal comes while the second boot of each target runs.
interrupted() {
  need_both_bare
  shim qemu-system-x86_64 1 "echo >>$PWD/x; [ \$(wc -l <$PWD/x) = 1 ] || { touch $PWD/hangs; exec sleep 60; }"
  shim qemu-system-aarch64 1 "echo >>$PWD/a; [ \$(wc -l <$PWD/a) = 1 ] || {
    until [ -e $PWD/hangs ]; do sleep 0.1; done; kill -$1 \$PPID; exec sleep 60; }"
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null,rdtsc,cntvct --boots 1 --jobs 2 --quiet -o docs
  echo "exit code $status: $stdout$stderr"
  [ "$status" = $((128 + $(kill -l "$1"))) ]
  for t in x86_64 aarch64; do
    "$wsbench" validate --quiet docs/bare-$t.json
    holds docs/bare-$t.json 'd["run"]["partial"]' 'b("null")["status"] == "ok"' \
      '[x["status"] for x in d["benchmarks"]] == ["ok", "skip"]'
  done
  nothing_left docs docs/bare-aarch64.json docs/bare-x86_64.json a hangs x
}

@test "SIGINT ends all targets, whose documents keep what was measured" { interrupted INT; }
@test "SIGTERM ends all targets, whose documents keep what was measured" { interrupted TERM; }

@test "progress says how far the targets are that are measured at the moment" {
  need_terminal
  need_both_bare
  run_apart "$python" "$tests/on_terminal.py" "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --boots 20 --jobs 2
  [ "$status" = 0 ]
  [[ $output == *$'\r[0/2 done]'*'bare:x86_64 '*' %, bare:aarch64 '*' %'* ]]
  refused 2 "--jobs: 'x' is not a whole number" "$wsbench" run --on bare:x86_64 --jobs x
}

# recorder ACTION: a stand-in for make that appends its arguments to the file calls.
recorder() {
  printf '#!/bin/sh\necho "$*" >>%q/calls\n%s\n' "$PWD" "$1" >recorder
  chmod +x recorder
  : >calls
}

@test "make bench and make test: downloads and the emulator beside the build" {
  [ -f "$top/Makefile" ] || skip "not a source tree"
  local goal
  # The goal that bench waits for, and test.
  for goal in bench-alone test; do
    recorder 'exit 9'
    run_apart make -C "$top" --no-print-directory "$goal" SETUP=0 MAKE="$PWD/recorder"
    [ "$status" = 2 ]
    grep -Eq -- '-j[0-9]+ labs all' calls
    [ "$(wc -l <calls)" = 1 ]
  done
  # Each waits for the other.
  recorder "case \$* in *kmod) exit ;; esac
for i in \$(seq 100); do grep -q kernels $PWD/calls && grep -q emulators $PWD/calls && exit; sleep 0.1; done
echo alone; exit 4"
  run_apart make -C "$top" -j2 --no-print-directory labs MAKE="$PWD/recorder"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ -z "$stdout$stderr" ]
  [ "$(wc -l <calls)" = 3 ]
  # What cannot be had is left out, after its message.
  recorder 'echo "no network" >&2; exit 4'
  run_apart make -C "$top" --no-print-directory labs MAKE="$PWD/recorder"
  [ "$status" = 0 ]
  [ "$(grep -cx 'no network' <<<"$stderr")" = 3 ]
}

@test "kernels are downloaded and the emulator is built while missing packages are installed" {
  [ -f "$top/Makefile" ] || skip "not a source tree"
  mkdir -p copy/scripts
  cp "$top/Makefile" copy/
  ln -s "$top"/{bench,guest,host} copy/
  export LOCKED_TREE=$PWD/copy
  # Each part waits for the others.
  recorder 'touch "$2"; for i in $(seq 100); do [ ! -e install ] || exit; sleep 0.1; done; exit 4'
  printf '#!/bin/sh\ncase $1 in --list) cat missing; exit ;; esac\n[ -s missing ] || exit 0
echo "$*" >>sections; [ "$1" != --only ] || exit 0
touch install; for i in $(seq 100); do [ ! -e kernels ] || [ ! -e emulators ] || exit 0; sleep 0.1; done; exit 5\n' >copy/scripts/setup.sh
  chmod +x copy/scripts/setup.sh
  echo gcc >copy/missing
  run_apart make -C copy --no-print-directory begin MAKE="$PWD/recorder"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(sort calls)" = $'--no-print-directory emulators\n--no-print-directory kernels' ]
  # The packages of the tests are for the tests.
  run_apart make -C copy --no-print-directory begin-test MAKE="$PWD/recorder"
  [ "$status" = 0 ]
  first='--only g++ make patch xz-utils base'
  [ "$(cat copy/sections)" = "$first"$'\nbase\n'"$first"$'\nbase test' ]
  # These are packages of the emulator.
  SETUP=1 run_apart bash -c '. <(sed "/^main /d" "$1"); here=${1%/*}; wanted amd64 base | grep -xcE "g[+][+]|make|patch|xz-utils"' \
    - "$top/scripts/setup.sh"
  [ "$stdout" = 4 ]
  # Nothing is missing: nothing is downloaded early.
  recorder ''
  : >copy/missing
  run_apart make -C copy --no-print-directory begin MAKE="$PWD/recorder"
  [ "$status" = 0 ]
  [ ! -s calls ]
  # A failure of the installation ends the command.
  recorder 'exec sleep 60'
  printf '#!/bin/sh\ncase $1 in --list) echo gcc; exit ;; --only) exit ;; esac\nexit 2\n' >copy/scripts/setup.sh
  run_apart make -C copy --no-print-directory begin MAKE="$PWD/recorder"
  [ "$status" = 2 ]
  [ -z "$(cat "$TMPDIR/../processes" 2>/dev/null)" ]
}
