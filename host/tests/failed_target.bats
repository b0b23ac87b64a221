#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# If one target fails, the other targets are measured, and the table, the documents, the
# pictures and the report contain the failure with its reason.
bats_require_minimum_version 1.5.0
load helper

# A Bochs without a VGA BIOS, with the messages of the real one.
break_bochs() {
  shim bochs 1 "echo '00000000000p[MEM0  ] >>PANIC<< ROM: no ROM image file'
echo 'Bochs is exiting with the following message:'; echo '(0).[0] add byte ptr'; exit 1"
}

# fails FILE REASON: FILE is a valid document in which every row failed with REASON.
fails() {
  "$wsbench" validate --quiet "$1"
  holds "$1" '{(x["status"], x["reason"]) for x in d["benchmarks"]} == {("fail", "'"$2"'")}'
  holds "$1" '[(w["code"], w["message"]) for w in d["warnings"]] == [("target-failed", "'"$2"'")]'
}

@test "one lab fails, another target does not: documents, table, pictures, report" {
  need_target bare:x86_64
  need_target lab:x86_64-vmx
  local reason='bochs failed: ROM: no ROM image file'
  break_bochs
  run_apart "$wsbench" run --on lab:x86_64-vmx,bare:x86_64 --bench null,pio_out_user -o docs --quiet
  echo "$stdout / $stderr"
  [ "$status" = 4 ]
  [ "$stderr" = "wsbench: error: lab:x86_64-vmx: $reason" ]
  fails docs/lab-x86_64-vmx.json "$reason"
  holds docs/lab-x86_64-vmx.json '[x["name"] for x in d["benchmarks"]] == ["null", "pio_out_user"]'
  holds docs/bare-x86_64.json 'b("pio_out_user")["status"] == "ok"'
  grep -q '^null .*FAIL \[1\] .*  0$' <<<"$stdout"
  [ "$(grep -c "$reason" <<<"$stdout")" = 1 ]
  grep -qx "\[1\] $reason" <<<"$stdout"

  run_apart "$wsbench" report docs/*.json -o .
  [ "$status" = 0 ]
  grep -q "The target failed: $reason" report.html
  run_apart "$wsbench" compare docs/bare-x86_64.json docs/lab-x86_64-vmx.json --across targets
  [ "$status" = 2 ]
  one_line "$stderr"
  [[ $stderr == *"the target failed: $reason"* ]]
  if command -v gnuplot >/dev/null; then
    run_apart "$wsbench" plot docs/*.json -o . --kind bars
    [ "$status" = 0 ]
    grep -q "lab:x86_64-vmx: FAILED: $reason" round_trip-insns-x86_64.svg
  fi
}

@test "only failures: the report contains them, and there is nothing to draw" {
  need_target lab:x86_64-vmx
  break_bochs
  run_apart "$wsbench" run --on lab:x86_64-vmx,bare:x86_64 --bench null -o docs --quiet
  [ "$status" = 4 ]
  run_apart "$wsbench" report docs/lab-x86_64-vmx.json -o .
  [ "$status" = 0 ]
  grep -q 'ROM: no ROM image file' report.html
  refused 2 'nothing to draw' "$wsbench" plot docs/lab-x86_64-vmx.json -o .
  refused 2 'no figure of round_trip' "$wsbench" history add --db h.jsonl docs/lab-x86_64-vmx.json
}

@test "a target that cannot run here fails beside the others" {
  need_target bare:x86_64
  mkdir only
  ln -s "$(command -v qemu-system-x86_64)" only/
  run_apart env PATH="$PWD/only" "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null -o docs --quiet
  echo "$stderr"
  [ "$status" = 4 ]
  fails docs/bare-aarch64.json "$(sed -n 's/^wsbench: error: bare:aarch64: //p' <<<"$stderr")"
  holds docs/bare-x86_64.json 'b("null")["status"] == "ok"'
  # Alone it has no document, as ever.
  refused 4 'bare:aarch64: ' env PATH="$PWD/only" "$wsbench" run --on bare:aarch64 --bench null -o doc.json
  [ ! -e doc.json ]
}

@test "make bench with failing emulators still makes pictures and a report" {
  need_target bare:x86_64
  command -v gnuplot >/dev/null || skip "gnuplot is not installed"
  [ -f "$top/Makefile" ] && [ "$arch" = x86_64 ] || skip "not a source tree on x86_64"
  shim qemu-system-aarch64 1 "echo 'qemu-system-aarch64: it broke'; exit 1"
  shim bochs 1 "echo '>>PANIC<< it broke'; exit 1"
  # MAKE: nothing is rebuilt. bench is this goal, after its set-up.
  run_apart make -C "$top" --no-print-directory bench-alone SETUP=0 MAKE=: B="$build" RUN="$PWD/run" \
    BENCH=null ARGS=--quiet
  echo "$stdout / $stderr"
  [ "$status" = 2 ]
  [[ $stderr == *'[Makefile:'*': bench-alone] Error 4'* ]]
  [ -s run/report.html ]
  [ -s run/round_trip-insns-x86_64.svg ]
  holds run/bare-x86_64.json 'b("null")["status"] == "ok"'
  holds run/bare-aarch64.json 'b("null")["status"] == "fail"'
  # Without kernels the labs are skipped.
  [ ! -e run/lab-aarch64-vhe.json ] || fails run/lab-aarch64-vhe.json 'qemu-system-aarch64 failed: it broke'
  [ ! -e run/lab-x86_64-vmx.json ] || fails run/lab-x86_64-vmx.json 'bochs failed: it broke'
  # A lab that is not part of the suite.
  [ ! -e run/lab-x86_64-svm-qemu.json ]
}
