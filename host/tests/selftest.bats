#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The VMM's self-tests (wsbench selftest) on every KVM there is, each of them a test here.
bats_require_minimum_version 1.5.0
load helper

# passes TARGET: every self-test ran, none failed; those that cannot be are named.
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

@test "on this machine's KVM" { passes kvm; }

@test "on Linux with VHE, in the lab" { passes lab:aarch64-vhe; }

@test "on Linux with SVM, in the lab" { passes lab:x86_64-svm; }

@test "an unknown test and an unknown place are bad input" {
  run_apart "$wsbench" selftest no-such-test
  [ "$status" = 2 ] || [ "$status" = 4 ]
  run_apart "$wsbench" selftest --on bare:x86_64
  [ "$status" = 2 ]
  [ "$(wc -l <<<"$stderr")" = 1 ]
}
