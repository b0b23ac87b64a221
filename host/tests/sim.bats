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

@test "--seed makes another table, and the same seed the same table" {
  local seed
  for seed in 0 1 2 1; do
    contained "$build/tests/power" --quick --seed $seed '60 runs, noise 0.5 %, 3 *' >>"$TMPDIR/../tables"
  done
  contained "$build/tests/power" --quick '60 runs, noise 0.5 %, 3 *' >>"$TMPDIR/../tables"
  grep '^60 runs' "$TMPDIR/../tables" >"$TMPDIR/../lines"
  [ "$(wc -l <"$TMPDIR/../lines")" = 5 ]
  [ "$(sort -u "$TMPDIR/../lines" | wc -l)" = 3 ]
  [ "$(sed -n 2p "$TMPDIR/../lines")" = "$(sed -n 4p "$TMPDIR/../lines")" ]
  [ "$(sed -n 1p "$TMPDIR/../lines")" = "$(sed -n 5p "$TMPDIR/../lines")" ]
  nothing_left
}

@test "an unknown option is an error" {
  local arguments
  for arguments in --slow --seed '--seed x' '--seed -1' '--seed 1x'; do
    # shellcheck disable=SC2086  # an option and its value
    run_apart "$build/tests/power" $arguments
    [ "$status" = 2 ]
  done
  nothing_left
}
