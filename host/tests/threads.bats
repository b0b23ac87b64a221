#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The vCPU threads of a VM under ThreadSanitizer (make tsan-tests), on a fake KVM and on the
# KVM of this machine.
bats_require_minimum_version 1.5.0
load helper

# without_races PROGRAM ARGUMENT...: the program succeeds without a reported race.
without_races() {
  [ -x "$1" ] || skip "$1 is not built: make tsan-tests"
  run_apart "$@"
  [[ $stderr != *'unexpected memory mapping'* ]] || skip "ThreadSanitizer does not run on this kernel"
  echo "exit code $status: $stdout"
  head -n 60 <<<"$stderr"
  [ "$status" = 0 ]
  [[ $stdout$stderr != *'WARNING: ThreadSanitizer'* ]]
}

# The labs look for their programs beside this one.
with_labs() {
  ln -s "$build"/* .
  rm wsbench
  [ ! -e "$build/tsan/wsbench" ] || cp "$build/tsan/wsbench" .
}

@test "threads: errors, dumps, kicks and dirty rings of several vCPUs" {
  without_races "$build/tsan/unit_threads"
  [ "$(grep -c '^ok ' <<<"$stdout")" -ge 6 ]
}

@test "threads: two vCPUs on the KVM of this machine" {
  need_target kvm
  without_races "$build/tsan/wsbench" selftest vcpus-2 vcpus-2-break checkpoint-vcpus-2 \
    access-later coalesced-kick
  [ "$(grep -c '^ok ' <<<"$stdout")" = 5 ]
  [[ $stdout != *SKIP* ]]
}

@test "threads: targets beside each other" {
  need_target bare:x86_64
  need_target bare:aarch64
  with_labs
  local on=bare:x86_64,bare:aarch64 t
  for t in lab:aarch64-vhe lab:x86_64-svm; do
    unavailable "$t" >/dev/null || on+=,$t
  done
  without_races ./wsbench run --on "$on" --bench null,hvc_user --boots 2 --jobs 4 --quiet -o docs
}

# Two labs, one row each: both sides of a lab one after the other, and the labs beside each other. Two
# configs of one kernel, whose machines other tests have saved.
@test "threads: labs that are compared and explained beside each other" {
  need_target lab:aarch64-vhe
  need_target lab:x86_64-svm-qemu
  "$wsbench" run --on lab:aarch64-vhe,lab:x86_64-svm-qemu --bench mmio_write_user --config default,loop-bare \
    --boots 1 --events 50 --quiet -o kept >/dev/null
  with_labs
  # The loop of the VMM gets shorter in both.
  without_races ./wsbench compare kept --config default,loop-bare --explain=all --quiet
  [ "$(grep -c '^mmio_write_user .* insns (-[0-9]*)$' <<<"$stdout")" = 2 ]
  [[ $stdout != *'not explained'* ]]
}

# Not kick_immediate_exit: ThreadSanitizer defers signal handlers, which set it.
@test "threads: rows with two threads on the KVM of this machine" {
  need_target kvm
  without_races "$build/tsan/wsbench" run --on kvm --bench mmio_read_concurrent,kick_signal --boots 1 --events 20 \
    --quiet -o rows.json
  holds rows.json "[x['status'] for x in d['benchmarks']] == ['ok'] * 2"
}

# The vCPUs of one VM, and VMs, that wait for each other at the begin of each phase.
@test "threads: several vCPUs and VMs at the same time on the KVM of this machine" {
  need_target kvm
  without_races "$build/tsan/wsbench" run --on kvm --bench mmio_read_user,fault_first_touch_4k --vcpus 2,5 --vms 3 \
    --boots 2 --events 200 --quiet -o scale.json
  holds scale.json "len(d['benchmarks']) == 6"
}
