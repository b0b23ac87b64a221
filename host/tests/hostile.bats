#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Hostile guests, kills and signals: the quick subset of `make test-hostile`.
bats_require_minimum_version 1.5.0
load helper

# quick PATTERN...: the rows exist, and nothing failed. A missing target is a skipped row.
quick() {
  [ -x "$build/tests/kill_at" ] || skip "not built: make hostile-tests"
  run_apart "$python" "$tests/hostile/hostile.py" --quick "$@"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(grep -cE '^[a-z0-9].* [0-9]+ +0 +[0-9]+ +[0-9]+$' <<<"$stdout")" -ge 1 ] ||
    { [[ $stdout == *skipped:* ]] && skip "$(sed -n 's/.*skipped: //p' <<<"$stdout" | head -n 1)"; }
  nothing_left
}

@test "random and mutated guest reports" { quick pages; }
@test "random and mutated guest reports, with sanitizers" { quick 'pages, *'; }
@test "guests on kvm" { quick 'guests on kvm*'; }
@test "guests on bare machines" { quick 'guests on bare*'; }
@test "guests in labs" { quick 'guests on lab*'; }
@test "kills of history add" { quick 'kills of history add*'; }
@test "kills of run" { quick 'kills of run*'; }
@test "kills of report, kernel fetch and kernel take" { quick 'kills of report' 'kills of kernel*'; }
@test "kills of env tune" { quick 'kills of env tune*'; }
@test "a full disk" { quick 'a full disk: *'; }
@test "signals to runs" { quick 'signals*'; }

@test "a program that writes in place, leaves files, or prints two errors is found" {
  need_target kvm
  [ -x "$build/tests/kill_at" ] || skip "not built: make hostile-tests"
  mkdir -p "$BATS_TEST_TMPDIR/bad"
  ln -s "$build/tests" "$BATS_TEST_TMPDIR/bad/tests"
  cat >"$BATS_TEST_TMPDIR/bad/wsbench" <<END
#!/bin/sh
[ "\$1" = run ] || exec "$wsbench" "\$@"
printf '{ "half": ' >doc.json
printf '1 }' >>doc.json
: >own.\$\$
echo 'wsbench: error: one' >&2
echo 'wsbench: error: two' >&2
exit 4
END
  chmod +x "$BATS_TEST_TMPDIR/bad/wsbench"
  BUILD=$BATS_TEST_TMPDIR/bad run_apart "$python" "$tests/hostile/hostile.py" --quick \
    'kills of run on kvm' 'guests on kvm'
  echo "$stdout"
  [ "$status" = 1 ]
  [[ $stdout == *"kills of run on kvm: trial "*"doc.json does not validate"* ]]
  [[ $stdout == *"guests on kvm: trial "*": 2 lines of errors"* ]]
  [[ $stdout == *"guests on kvm: left 8 times: cwd/own.N"* ]]
  nothing_left
}

@test "kill_at: the call is not made; with --half, half of the n-th write is" {
  [ -x "$build/tests/kill_at" ] || skip "not built: make hostile-tests"
  # shellcheck disable=SC2016  # for the inner shell
  local kill_at=("$build/tests/kill_at" --report "$BATS_TEST_TMPDIR/report")
  local write='printf 12345678 >a; mv a b; rm b; (exit 3)'
  run_apart "${kill_at[@]}" 2 bash -c "$write"
  [ "$status" = 137 ]
  [ "$(cat "$BATS_TEST_TMPDIR/report")" = "2 write $PWD/a" ]
  [ -e a ]
  [ ! -s a ]
  run_apart "${kill_at[@]}" --half 1 bash -c "$write"
  [ "$(cat a)" = 1234 ]
  run_apart "${kill_at[@]}" 3 bash -c "$write"
  [ "$status" = 137 ]
  [ "$(cat a)" = 12345678 ]
  [ ! -e b ]
  # Only the process of the call: the shell goes on.
  run_apart "${kill_at[@]}" --one 3 bash -c "${write%;*}; echo done"
  [ "$status" = 137 ]
  [ "$stdout" = "done" ]
  [ -e a ]
  run_apart "${kill_at[@]}" 100 bash -c "$write"
  [ "$status" = 3 ]
  [ "$(cat "$BATS_TEST_TMPDIR/report")" = "4 " ]
  run_apart "${kill_at[@]}" 50ms sleep 60
  [ "$status" = 137 ]
  run_apart "${kill_at[@]}" --one 500ms bash -c '(sleep 2; echo done) & wait'
  [ "$status" = 137 ]
  [ "$stdout" = "done" ]
  nothing_left
}
