#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The self-tests of the VMM (wsbench selftest), a test for each available KVM.
bats_require_minimum_version 1.5.0
load helper

# passes TARGET: every self-test ran or was skipped with a reason, and none failed.
passes() {
  local plan
  need_target "$1"
  run_apart "$wsbench" selftest --on "$1"
  echo "$stdout"
  [ "$status" = 0 ]
  plan=$(sed -n 's/^1\.\.//p' <<<"$stdout")
  [ "$plan" -gt 20 ]
  [ "$(grep -c '^ok ' <<<"$stdout")" = "$plan" ]
  [ "$(grep -c '# SKIP ' <<<"$stdout")" -lt 6 ]
  nothing_left
}

@test "selftest: the KVM of this machine" { passes kvm; }

@test "selftest: KVM/arm64 with VHE, in the lab" { passes lab:aarch64-vhe; }

@test "selftest: KVM on SVM, in the lab" { passes lab:x86_64-svm; }

# With one processor, kicker and vCPU take turns, and 100,000 kicks take more than 20 s.
@test "selftest: a busy machine has fewer kicks, and the test says how many" {
  [ -n "${WS_ALL:-}" ] || skip "takes 20 s: WS_ALL=1 runs it"
  need_target kvm
  [ "$(nproc)" -gt 1 ] || skip "one processor"
  run_apart taskset -c "$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')" "$wsbench" selftest --on kvm kick-mask
  echo "$stdout"
  [ "$status" = 0 ]
  grep -qE '^# busy machine: [1-9][0-9]* of 100000 kicks in 20 s$' <<<"$stdout"
}

# all_pass TARGET TESTS: every test passed, and nothing is absent there.
all_pass() {
  need_target "$1"
  run_apart "$wsbench" selftest pmu --on "$1"
  echo "$stdout"
  [ "$status" = 0 ]
  [ "$(sed -n 's/^1\.\.//p' <<<"$stdout")" = "$2" ]
  [ "$(sed -nE 's/^ok ([0-9]+) - .*/\1/p' <<<"$stdout")" = "$(seq "$2")" ]
  [[ $stdout != *SKIP* ]]
}

# of_vendor VENDOR: how many tests there are.
of_vendor() { grep -c "^PMU_TEST($1, " "$BATS_TEST_DIRNAME/../../bench/pmu_tests.def"; }

@test "selftest pmu: the PMU of the project's Bochs, as in Intel's manual" {
  all_pass bare:x86_64-bochs "$(of_vendor INTEL)"
}

@test "selftest pmu: the PMU of the project's Bochs, as in AMD's manual" {
  all_pass bare:x86_64-bochs-svm "$(of_vendor AMD)"
}

# bench/README.md lists them. A test that passes one day is a KVM that was mended.
@test "selftest pmu: what KVM's vPMU does not do as in Intel's manual" {
  need_target lab:x86_64-vmx
  need_built_bochs
  run_apart "$wsbench" selftest pmu --on lab:x86_64-vmx
  echo "$stdout"
  [ "$status" = 1 ]
  [ "$(sed -n 's/^not ok [0-9]* - //p' <<<"$stdout")" = "\
fixed counters have the width of CPUID, and writes no bit more
CMASK 1 and CMASK 1 with INV add up to the cycles; CMASK 255 counts nothing
DEBUGCTL.FREEZE_PERFMON_ON_PMI stops all counters at a PMI
CMASK 1 and CMASK 1 with INV add up to the cycles across HLT, too
EDGE counts each time that cycles begin again after HLT" ]
  grep '^ok [0-9]* - HLT stops the cycle counters$' <<<"$stdout"
  # DEBUGCTL of the vPMU has no bit that a nested guest could be entered with.
  grep '^ok [0-9]* - VM entry loads DEBUGCTL; .* # SKIP' <<<"$stdout"
  [ "$(grep -cE '^ok [0-9]+ - .*(VM entry|preemption timer|areas of MSRs)' <<<"$stdout")" = 9 ]
  # The reasons name what was compared.
  grep -x '# WRMSR of 0x1d9 (1: done, 0: #GP): found 0, expected = 1' <<<"$stdout"
  grep -x '# general counters 1 and 2 together: found [0-9]*, expected = [0-9]*' <<<"$stdout"
  grep -x '# general counter 0: found 0, expected >= 10' <<<"$stdout"
}

@test "selftest pmu: without a PMU there is nothing to test" {
  need_target lab:x86_64-vmx
  need_built_bochs
  run_apart "$wsbench" selftest pmu --on lab:x86_64-vmx --config pmu-off
  echo "$stdout"
  [ "$status" = 0 ]
  [[ $stdout == *"1..0 # SKIP the guest has neither Intel's architectural PMU"* ]]
  run_apart "$wsbench" selftest msi --on lab:x86_64-vmx --config pmu-off
  [ "$status" = 2 ]
}

# KVM of Linux 6.1 has no PerfMonV2: those tests are skipped.
@test "selftest pmu: what KVM's vPMU does not do as in AMD's manual" {
  need_target lab:x86_64-svm
  run_apart "$wsbench" selftest pmu --on lab:x86_64-svm
  echo "$stdout"
  [ "$status" = 1 ]
  [ "$(sed -n 's/^not ok [0-9]* - //p' <<<"$stdout")" = "\
EDGE counts each time that cycles begin again after HLT
RDPMC of a counter that CPUID does not report: #GP (vol. 3)
without EFER.SVME a counter with host-only or guest-only does not count
with EFER.SVME host-only counts in the host, guest-only does not
guest-only counts in a guest, host-only does not; both together do" ]
  [ "$(grep -c '# SKIP ' <<<"$stdout")" = 7 ]
  # A nested guest of the guest runs.
  grep '^ok [0-9]* - RDPMC of a guest exits if it is intercepted, else reads the counter (15.9)$' <<<"$stdout"
  grep -x '# RDPMC of 0x40000000 (1: done, 0: #GP): found 1, expected = 0' <<<"$stdout"
  grep -x '# general counter 0 in a nested guest: found 2001, expected = 0' <<<"$stdout"
}

# Whether or not the target could run here.
@test "selftest pmu: another architecture and its configs are bad input" {
  run_apart "$wsbench" selftest pmu --on bare:aarch64
  [ "$status" = 2 ]
  [[ $stderr == *"'bare:aarch64' is not x86_64"* ]]
  run_apart "$wsbench" selftest pmu --on lab:aarch64-vhe
  [ "$status" = 2 ]
  run_apart "$wsbench" selftest pmu --on lab:x86_64-vmx --config pmccntr-passthrough
  [ "$status" = 2 ]
  [[ $stderr == *"'pmccntr-passthrough' is not for x86_64"* ]]
  [ "$(wc -l <<<"$stderr")" = 1 ]
}

# A machine whose emulator is not built says so, as with "run".
@test "selftest pmu: a target that cannot run here says why" {
  mkdir "$BATS_TEST_TMPDIR/none"
  WORLDSWITCH_EMULATORS=$BATS_TEST_TMPDIR/none run_apart "$wsbench" selftest pmu --on bare:x86_64-bochs
  [ "$status" = 4 ]
  [[ $stderr == *"bare:x86_64-bochs: bochs is not built"* ]]
  [ -z "$stdout" ]
}

@test "selftest: an unknown test and an unknown target are bad input" {
  refused 2 "no self-test 'no-such-test'" "$wsbench" selftest no-such-test
  # Before a lab boots: here it cannot.
  mkdir none
  WORLDSWITCH_CACHE=$PWD/none refused 2 "no self-test 'no-such-test'" \
    "$wsbench" selftest --on lab:x86_64-svm regs-drain no-such-test
  run_apart "$wsbench" selftest --on bare:x86_64
  [ "$status" = 2 ]
  [ "$(wc -l <<<"$stderr")" = 1 ]
}
