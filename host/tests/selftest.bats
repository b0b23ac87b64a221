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

@test "selftest: an unknown test and an unknown target are bad input" {
  run_apart "$wsbench" selftest no-such-test
  [ "$status" = 2 ] || [ "$status" = 4 ]
  run_apart "$wsbench" selftest --on bare:x86_64
  [ "$status" = 2 ]
  [ "$(wc -l <<<"$stderr")" = 1 ]
}
