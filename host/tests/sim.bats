#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The simulator: how often verdicts of compare and history are false.
bats_require_minimum_version 1.5.0
load helper

@test "no bound of the quick subset is broken" {
  run_apart "$build/tests/power" --quick
  [ "$status" = 0 ]
  [[ $stdout == *"A/A, own noise 0.5 % "*"found >= "* ]]
  [[ $stdout != *BROKEN* ]]
  nothing_left
}

@test "a scenario has the same figures alone and among others" {
  contained "$build/tests/power" --quick '60 runs, noise *' >"$TMPDIR/../some"
  contained "$build/tests/power" --quick '60 runs, noise 2 %' >"$TMPDIR/../one"
  grep '^60 runs, noise 2 % ' "$TMPDIR/../one" >"$TMPDIR/../line"
  grep -Fxf "$TMPDIR/../line" "$TMPDIR/../some"
  nothing_left
}

@test "an unknown option is an error" {
  run_apart "$build/tests/power" --slow
  [ "$status" = 2 ]
  nothing_left
}
