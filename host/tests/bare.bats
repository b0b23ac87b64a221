#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The bare targets, and properties of documents and output that all targets share.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  clean_place "$BATS_FILE_TMPDIR"
  local target
  for target in bare:x86_64 bare:aarch64; do
    ! unavailable $target >/dev/null || continue
    contained "$wsbench" run --on $target -o "$BATS_FILE_TMPDIR/${target#bare:}.json" \
      >"$BATS_FILE_TMPDIR/${target#bare:}.out" 2>"$BATS_FILE_TMPDIR/${target#bare:}.err"
  done
}

document() {
  need_target "bare:$1"
  document=$BATS_FILE_TMPDIR/$1.json
}

exact_and_empty() {
  document "$1"
  holds "$document" 'd["target"]["exact"] and d["clock"]["unit"] == "insns"' \
    'd["target"]["hypervisor"] is None' \
    'value("null") == 0 and m("null")["unit"] == "insns"' \
    'all(y["summary"]["min"] == y["summary"]["max"] == 0
    for y in m("null")["boots"])'
}

@test "bare:x86_64: an empty region costs 0 in every event" { exact_and_empty x86_64; }
@test "bare:aarch64: an empty region costs 0 in every event" { exact_and_empty aarch64; }

@test "bare:x86_64-bochs: no region, RDPMC, a fault and the PMU's overflow" {
  need_target bare:x86_64-bochs
  run_apart "$wsbench" run --on bare:x86_64-bochs --quiet -o doc.json \
    --bench null,rdpmc_fixed,pmu_global_status_write,pmu_accuracy_\*,pmu_overflow_irq
  [ "$status" = 0 ]
  holds doc.json 'd["target"]["exact"] and d["target"]["name"] == "bare:x86_64-bochs"' \
    'value("null") == 0 and value("rdpmc_fixed") == 2' \
    'b("pmu_global_status_write")["exits"]["faults"] ==
      sum(y["events"] for y in m("pmu_global_status_write")["boots"]) > 0' \
    'value("pmu_accuracy_insns", metric="error") == 0' \
    'value("pmu_accuracy_cycles_fixed", metric="error") == 0' \
    'value("pmu_overflow_irq") == 7'
}

@test "bare:x86_64-bochs is not one of a pattern's targets" {
  run_apart "$wsbench" run --on 'bare:x86_64-*' --bench null
  [ "$status" = 2 ]
  [[ $stderr == *"target 'bare:x86_64-bochs' must be named in full"* ]]
}

@test "bare:x86_64-bochs without the project's Bochs: one line says how to build it" {
  WORLDSWITCH_EMULATORS=$PWD/none run_apart "$wsbench" run --on bare:x86_64-bochs --bench null
  [ "$status" = 4 ]
  [ "$stderr" = "wsbench: error: bare:x86_64-bochs: bochs is not built (scripts/emulator.sh build bochs)" ]
}

@test "bare:x86_64: one RDTSC is one instruction" {
  document x86_64
  holds "$document" 'value("rdtsc") == 1 and value("rdtsc", metric="round_trip_batch") == 1'
}

@test "bare:aarch64: one read of CNTVCT is one instruction" {
  document aarch64
  holds "$document" 'value("cntvct") == 1 and value("cntvct", metric="round_trip_batch") == 1'
}

@test "bare:aarch64: without a hypervisor the guest's PMC counts every instruction" {
  document aarch64
  for bench in null cntvct eoi; do
    holds "$document" "value('$bench', metric='pmc_visible') == value('$bench')" \
      "value('$bench', metric='pmc_hidden') == 0"
  done
}

@test "bare: the interval of an exact figure has zero width" {
  for a in x86_64 aarch64; do
    document $a
    holds "$document" 'all(y["estimate"]["ci"]["lo"] == y["estimate"]["value"] ==
      y["estimate"]["ci"]["hi"] and y["estimate"]["ci"]["method"] == "exact"
      for x in d["benchmarks"] if x["status"] == "ok" for y in x["metrics"])' \
      'not [w for w in d["warnings"] if w["code"] == "not-exact"]'
  done
}

@test "bare: rows that need a hypervisor are skipped with the reason, without a figure" {
  document x86_64
  holds "$document" 'b("hypercall")["status"] == "skip"' \
    '"hypervisor" in b("hypercall")["reason"] and not b("hypercall")["metrics"]'
}

# same ARCH: a second run of every fourth benchmark gives equal documents, to the byte.
# Each benchmark has its own emulator: other benchmarks do not influence the figure.
same() {
  document "$1"
  local rows
  rows=$(doc "$document" '",".join([x["name"] for x in d["benchmarks"] if x["status"] == "ok"][::4])')
  run_apart "$wsbench" run --on "bare:$1" --bench "$rows" --quiet -o again.json
  [ "$status" = 0 ]
  python3 - "$document" again.json <<'END'
import json, sys

first, second = (json.load(open(f))["benchmarks"] for f in sys.argv[1:])
names = {b["name"] for b in second}
assert len(names) > 10, names
one, two = (json.dumps(x, indent=1) for x in ([b for b in first if b["name"] in names], second))
for n, (a, b) in enumerate(zip(one.split("\n"), two.split("\n"))):
    assert a == b, f"line {n}: {a} and {b}"
assert one == two
END
}

@test "bare:x86_64: a second run is equal to the byte" { same x86_64; }
@test "bare:aarch64: a second run is equal to the byte" { same aarch64; }

@test "bare: documents and changed documents: wsbench and the schema agree" {
  python3 -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"
  document x86_64
  document aarch64
  run_apart "$wsbench" validate "$BATS_FILE_TMPDIR"/{x86_64,aarch64}.json
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/schema.json" \
    "$BATS_FILE_TMPDIR"/{x86_64,aarch64}.json
}

@test "stdout has the table, stderr the messages" {
  document x86_64
  grep -q '^benchmark  *handled by' "$BATS_FILE_TMPDIR/x86_64.out"
  grep -q '^rdtsc ' "$BATS_FILE_TMPDIR/x86_64.out"
  grep -qx "wsbench: wrote $document" "$BATS_FILE_TMPDIR/x86_64.err"
  # A run of over a minute reports where it is.
  [ "$(grep -vc ', boot [0-9]* of [0-9]*$' "$BATS_FILE_TMPDIR/x86_64.err")" = 1 ]
}

@test "without a terminal there is no escape sequence and no progress" {
  document x86_64
  run ! grep -q $'[\033\r]' "$BATS_FILE_TMPDIR/x86_64.out" "$BATS_FILE_TMPDIR/x86_64.err"
}

@test "on a terminal progress is drawn and erased" {
  need_terminal
  need_target bare:x86_64
  run_apart "$python" "$tests/on_terminal.py" "$wsbench" run --on bare:x86_64 --bench null
  [ "$status" = 0 ]
  [[ $output == *$'\r'bare:x86_64:* ]]
  [[ $output == *$'\r\033[K'* ]]
}

@test "progress says which target of how many is measured" {
  need_terminal
  need_target bare:x86_64
  need_target bare:aarch64
  run_apart "$python" "$tests/on_terminal.py" "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --boots 20 --jobs 1
  [ "$status" = 0 ]
  # On a busy machine the time that is left precedes the row.
  [[ $output == *$'\r[1/2] bare:x86_64'*': null, default, boot '*$'\r[2/2] bare:aarch64'*': null, default, boot '* ]]
}

@test "benchmarks and configs that a target does not have are named" {
  need_target bare:x86_64
  need_target bare:aarch64
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null,rdtsc,cntvct,rdtscp
  echo "$stderr"
  [ "$status" = 0 ]
  [ "$(sort <<<"$stderr")" = 'wsbench: bare:aarch64 does not have rdtsc, rdtscp
wsbench: bare:x86_64 does not have cntvct' ]
  # Patterns select what there is.
  run_apart "$wsbench" run --on bare:x86_64 --bench 'null,cnt*,rdtsc'
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  run_apart "$wsbench" run --on bare:x86_64 --bench null --config default,pmccntr-passthrough
  [ "$stderr" = 'wsbench: bare:x86_64 does not have the config pmccntr-passthrough' ]
}

@test "run --json prints the document, and no table" {
  need_target bare:x86_64
  run_apart "$wsbench" run --on bare:x86_64 --bench null --json -o doc.json --quiet
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  cmp doc.json <<<"$stdout"
  refused 2 "--json prints one document, not those of 2 targets" \
    "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --json
  refused 2 "--json and --metrics" "$wsbench" run --on bare:x86_64 --json --metrics
}

@test "--quiet prints only the table" {
  need_terminal
  need_target bare:x86_64
  run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o doc.json
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  [ "$(wc -l <<<"$stdout")" = 5 ]
  [[ $stdout == *$'\nnull '* ]]
  run_apart "$wsbench" show --quiet doc.json
  [ "$(wc -l <<<"$stdout")" = 5 ]
  "$python" "$tests/on_terminal.py" --split out "$wsbench" run --on bare:x86_64 --bench null --quiet >terminal
  [ ! -s terminal ]
  grep -q '^null ' out
}

@test "NO_COLOR and --no-color: no colours on a terminal" {
  need_terminal
  need_target bare:x86_64
  rows=("$wsbench" run --on bare:x86_64 --bench "null,hypercall")
  terminal=("$python" "$tests/on_terminal.py")
  "${terminal[@]}" "${rows[@]}" >colored
  NO_COLOR=1 "${terminal[@]}" "${rows[@]}" >plain
  "${terminal[@]}" "${rows[@]}" --no-color >plain_too
  # With colours an error is red: the test can fail.
  "${terminal[@]}" "$wsbench" run --on bare:x86_64 --payload missing >colored_error || true
  NO_COLOR=1 "${terminal[@]}" "$wsbench" run --on bare:x86_64 --payload missing >plain_error || true
  cat colored colored_error | grep -q $'\033\[[0-9;]*m'
  run ! grep -q $'\033\[[0-9;]*m' plain plain_too plain_error
}

@test "-o with several targets writes a folder, one document each" {
  need_target bare:x86_64
  need_target bare:aarch64
  run_apart "$wsbench" run --on 'bare:*' --bench null --quiet -o a/b
  [ "$status" = 0 ]
  run_apart "$wsbench" validate a/b/bare-x86_64.json a/b/bare-aarch64.json
  [ "$status" = 0 ]
  nothing_left a a/b a/b/bare-x86_64.json a/b/bare-aarch64.json
}

# interrupted SIGNAL: the signal interrupts the second boot of the second benchmark.
interrupted() {
  need_target bare:x86_64
  shim qemu-system-x86_64 4 "kill -$1 \$PPID; exec sleep 60"
  run_apart "$wsbench" run --on bare:x86_64 --bench null,cpuid,rdtsc --boots 2 -o doc.json
  echo "exit code $status, stderr: $stderr"
  [ "$status" = $((128 + $(kill -l "$1"))) ]
  [[ $stderr == *interrupted* ]]
  holds doc.json 'd["run"]["partial"] is True' \
    '[w["code"] for w in d["warnings"]].count("partial") == 1' \
    'b("null")["status"] == "ok" and value("null") == 0' \
    'len(m("null")["boots"]) == 2' \
    'not [x for x in d["benchmarks"] if x["name"] == "rdtsc" and x["status"] == "ok"]'
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  nothing_left doc.json
}

@test "SIGINT: finished rows are kept in a partial document, no process or file is left" { interrupted INT; }
@test "SIGHUP: finished rows are kept in a partial document, no process or file is left" { interrupted HUP; }
@test "SIGTERM: finished rows are kept in a partial document, no process or file is left" { interrupted TERM; }

@test "Ctrl-C on a terminal" {
  need_terminal
  need_target bare:aarch64
  run_apart "$python" "$tests/on_terminal.py" --interrupt 'null, default, boot' \
    "$wsbench" run --on bare:aarch64 --bench null,cntvct --boots 10000 -o doc.json
  echo "exit code $status: $output"
  [ "$status" = 130 ]
  holds doc.json 'd["run"]["partial"] is True'
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  nothing_left doc.json
}

@test "SIGHUP does not end a run that began with it ignored" {
  need_target bare:x86_64
  shim qemu-system-x86_64 2 'kill -HUP $PPID; touch "$0.sent"'
  run_apart nohup "$wsbench" run --on bare:x86_64 --bench null --boots 2 -o doc.json
  echo "$status: $stderr"
  [ "$status" = 0 ]
  [ -e "$BATS_TEST_TMPDIR/bin/qemu-system-x86_64.sent" ]
  holds doc.json 'd["run"].get("partial") is not True' 'len(m("null")["boots"]) == 2'
}

@test "an interrupted run does not replace a complete document" {
  need_target bare:x86_64
  "$wsbench" run --quiet --on bare:x86_64 --bench null,cpuid -o doc.json >/dev/null
  cp doc.json old.json
  shim qemu-system-x86_64 4 'kill -TERM $PPID; exec sleep 60'
  run_apart "$wsbench" run --on bare:x86_64 --bench null,cpuid,rdtsc --boots 2 -o doc.json
  echo "$status: $stderr"
  [ "$status" = 143 ]
  cmp doc.json old.json
  [[ $stderr == *"doc.json is a complete document"*"wrote doc.json.partial"* ]]
  holds doc.json.partial 'd["run"]["partial"] is True' 'b("null")["status"] == "ok"'
  # A partial document is replaced by the next one.
  mv doc.json.partial doc.json
  echo 0 >"$BATS_TEST_TMPDIR/starts"
  run_apart "$wsbench" run --on bare:x86_64 --bench null,cpuid,rdtsc --boots 2 -o doc.json
  [ "$status" = 143 ]
  nothing_left doc.json old.json
}

@test "a reader that ends does not end a run: its document is written" {
  need_target bare:x86_64
  # The reader of the table and of the messages ends before the first boot.
  run_apart bash -c '{ "$@"; echo $? >code; } 2>&1 | exec true' - "$wsbench" run --on bare:x86_64 \
    --bench null --boots 2 -o doc.json
  [ "$(<code)" = 4 ]
  holds doc.json 'd["run"].get("partial") is not True' 'b("null")["status"] == "ok"'
  run_apart bash -c '{ "$0" run --on bare:x86_64 --bench null --quiet 2>err; echo $? >code; } | exec true' "$wsbench"
  [ "$(<code)" = 4 ]
  [ "$(wc -l <err)" = 1 ]
  grep -q 'cannot write to standard output: Broken pipe' err
}

@test "SIGKILL: the emulator does not survive, and there is no partial document" {
  need_target bare:x86_64
  shim qemu-system-x86_64 2 'kill -KILL $PPID; exec sleep 60'
  run_apart "$wsbench" run --on bare:x86_64 --bench null -o doc.json
  [ "$status" = 137 ]
  nothing_left
}

@test "bare: a phase ends after a block of events that repeats the block before, unless --events says how many" {
  document x86_64
  holds "$document" '[y["events"] for y in m("cpuid")["boots"]] == [48, 48]' \
    '[y["events"] for y in m("cpuid", metric="round_trip_batch")["boots"]] == [2, 2]'
  "$wsbench" run --on bare:x86_64 --bench cpuid --events 500 -o all.json
  holds all.json '[y["events"] for y in m("cpuid")["boots"]] == [500, 500]' \
    '[y["events"] for y in m("cpuid", metric="round_trip_batch")["boots"]] == [9, 9]' \
    'value("cpuid") == 2'
}
