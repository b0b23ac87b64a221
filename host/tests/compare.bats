#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench compare` on documents of a target without a hypervisor, and on files that
# are not documents.

load helper
bats_require_minimum_version 1.5.0

setup_file() {
  load helper
  local why
  if why=$(unavailable bare:x86_64); then
    export NO_BARE=$why
    return
  fi
  export DOC=$BATS_FILE_TMPDIR/base.json
  "$wsbench" run --quiet --on bare:x86_64 --bench null,rdtsc,cr3,invlpg -o "$DOC" >/dev/null
}

need_documents() {
  [ -z "${NO_BARE:-}" ] || skip "bare:x86_64: $NO_BARE"
}

# changed FILE STATEMENT: writes a copy of the document, changed by a Python statement: `d`
# is the document, b(name) a benchmark.
changed() {
  python3 - "$DOC" "$1" "$2" <<'END'
import json, sys

with open(sys.argv[1]) as f:
    d = json.load(f)

def b(name):
    return next(x for x in d["benchmarks"] if x["name"] == name)

def shift(name, by):
    m = b(name)["metrics"][0]
    m["estimate"]["value"] += by
    for boot in m["boots"]:
        boot["summary"]["p50"] += by

exec(sys.argv[3])
with open(sys.argv[2], "w") as f:
    json.dump(d, f)
END
}

@test "two runs of one kernel are the same" {
  need_documents
  "$wsbench" run --quiet --on bare:x86_64 --bench null,rdtsc,cr3,invlpg -o again.json >/dev/null
  run_apart "$wsbench" compare "$DOC" again.json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  [[ $stdout == *"0 worse, 0 better, 4 same; --all shows the same"* ]]
  # Rows without a difference are listed only with --all.
  [[ $stdout != *invlpg* ]]
  run_apart "$wsbench" compare --all "$DOC" again.json
  [ "$status" = 0 ]
  [[ $stdout == *invlpg*same* ]]
}

@test "worse and better have a sign without colours, and a colour with them" {
  lab_document base.json lab:aarch64-vhe 6.1.1 1000
  lab_document worse.json lab:aarch64-vhe 6.1.2 1001
  lab_document better.json lab:aarch64-vhe 6.1.2 999
  run env LC_ALL=C "$wsbench" compare base.json worse.json
  grep -E '^hypercall .*  \+ worse$' <<<"$output"
  run env LC_ALL=C "$wsbench" compare base.json better.json
  grep -E '^hypercall .*  - better$' <<<"$output"
  run env LC_ALL=C.UTF-8 "$wsbench" compare base.json worse.json
  grep -E '^hypercall .*  ▲ worse$' <<<"$output"
  need_terminal
  run env LC_ALL=C "$python" "$tests/on_terminal.py" "$wsbench" compare base.json worse.json
  grep -E $'^\033\\[31mhypercall .* insns  worse\033\\[0m' <<<"$output"
  run env LC_ALL=C "$python" "$tests/on_terminal.py" "$wsbench" compare base.json better.json
  grep -E $'^\033\\[32mhypercall .* insns  better\033\\[0m' <<<"$output"
}

@test "compare at 80 columns: no line is longer, and no verdict wraps" {
  lab_document base.json lab:x86_64-vmx-skylake 6.1.0-56-cloud-amd64 123456
  lab_document new.json lab:x86_64-vmx-skylake 6.12.117+deb12-cloud-amd64 234567
  sed -i 's/"name": "hypercall"/"name": "pmu_cntr_global_status_clr_write"/; s/"config": "default"/"config": "pmu-mediated-short"/' base.json new.json
  LC_ALL=C COLUMNS=80 run "$wsbench" compare --all --threshold 200% base.json new.json
  echo "$output"
  [ -z "$(awk 'length > 80' <<<"${output//ü/u}")" ]
  [ "$(grep -c '^benchmark' <<<"$output")" = 2 ]
  [ "$(grep -c 'worse, within threshold$' <<<"$output")" = 1 ]
}

# three_kernels: base.json, and same.json, worse.json and better.json of other kernels.
three_kernels() {
  lab_document base.json lab:aarch64-vhe 6.1.0-56-cloud-arm64 1000
  lab_document same.json lab:aarch64-vhe 6.12.117+deb12-cloud-arm64 1000
  lab_document worse.json lab:aarch64-vhe 7.3.4+deb13-cloud-arm64 1250
  lab_document better.json lab:aarch64-vhe 7.4.1-cloud-arm64 900
}

@test "several documents are columns: value, percent and verdict against the first" {
  three_kernels
  run_apart env LC_ALL=C COLUMNS=120 "$wsbench" compare base.json same.json worse.json better.json
  echo "$stdout"
  [ "$status" = 1 ]
  grep -qE '^benchmark  *base  *6\.12\.117  *7\.3\.4  *7\.4\.1$' <<<"$stdout"
  grep -qE '^hypercall  1,000  *1,000  *\+0\.0 %    same  *1,250  \+25\.0 %  \+ worse  *900  -10\.0 %  - better$' <<<"$stdout"
  grep -q '^7.3.4: worse.json, .*: 1 worse, 0 better, 0 same$' <<<"$stdout"
  run_apart "$wsbench" compare base.json same.json better.json
  [ "$status" = 0 ]
  # At 80 columns in parts, which repeat benchmark and base.
  COLUMNS=80 LC_ALL=C run_apart "$wsbench" compare base.json same.json worse.json better.json
  echo "$stdout"
  [ -z "$(awk 'length > 80' <<<"${stdout//ü/u}")" ]
  [ "$(grep -cE '^hypercall  1,000 ' <<<"$stdout")" = 2 ]
  [ "$(grep -cE '\+ worse( |$)' <<<"$stdout")" = 1 ]
  run_apart "$wsbench" compare --markdown base.json same.json worse.json
  grep -qF '| hypercall | 1,000 | 1,000 | +0.0 % | same | 1,250 | +25.0 % | worse |' <<<"$stdout"
  refused 2 "--json: of two documents (3 given)" "$wsbench" compare --json base.json same.json worse.json
}

@test "several folders: each target has its columns" {
  three_kernels
  mkdir a b c
  mv base.json a/vhe.json && mv worse.json b/vhe.json && mv same.json c/vhe.json
  lab_document a/svm.json lab:x86_64-svm 6.1.1 500
  lab_document b/svm.json lab:x86_64-svm 6.1.2 500
  COLUMNS=100 run_apart "$wsbench" compare --all a b c
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $stderr == *"lab:x86_64-svm is only in a"* ]]
  grep -qE '^hypercall  1,000 .*1,250 .*1,000 ' <<<"$stdout"
  grep -qE '^hypercall .*500 ' <<<"$stdout"
}

@test "a baseline is saved by run, listed, and compared with by its name" {
  need_target bare:x86_64
  need_target bare:aarch64
  export WORLDSWITCH_CACHE=$PWD/cache
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --save main
  echo "$stderr"
  [ "$status" = 0 ]
  # Targets are measured side by side: each says so as soon as it has ended.
  [[ $stderr == *"saved bare:x86_64 in the baseline main"* ]]
  [[ $stderr == *"saved bare:aarch64 in the baseline main"* ]]
  [ "$("$wsbench" list baselines --names)" = main ]
  grep -q '^main  *bare:aarch64 ' <<<"$("$wsbench" list baselines)"
  "$wsbench" run --on bare:x86_64 --bench null -o now.json --quiet >/dev/null
  run_apart "$wsbench" compare --bench null --base main now.json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == "base: main "* && -z $stderr ]]
  refused 2 "no baseline and no file 'mian': did you mean 'main'?" "$wsbench" compare --base mian now.json
  refused 2 "--save: 'a/b' is not a name" "$wsbench" run --on bare:x86_64 --save a/b
  # A run that fails does not replace it.
  sum=$(cat cache/baselines/main/*.json | sha256sum)
  run_apart "$wsbench" run --on bare:x86_64 --bench null --payload "$payloads/x86_64/hang.elf" --timeout 1 --save main
  [ "$status" != 0 ]
  [ "$(cat cache/baselines/main/*.json | sha256sum)" = "$sum" ]
}

@test "one instruction more is worse, with exit code 1" {
  need_documents
  changed new.json 'shift("cr3", 1); shift("rdtsc", -1)'
  run_apart "$wsbench" compare "$DOC" new.json
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  grep -E '^cr3 .* \+1 .* worse$' <<<"$stdout"
  grep -E '^rdtsc .* -1 .* better$' <<<"$stdout"
  [[ $stdout == *"1 worse, 1 better, 2 same"* ]]
  run_apart "$wsbench" compare "$DOC" new.json --bench 'rd*'
  [ "$status" = 0 ]
  [[ $stdout == *"0 worse, 1 better, 0 same"* ]]
}

# json EXPRESSION: evaluates an expression on the output of `compare --json`: `d` is the
# comparison, row(name) a row.
json() {
  python3 -c '
import json, sys
d = json.loads(sys.argv[1])
def row(name):
    return next(r for r in d["rows"] if r["name"] == name)
answer = eval(sys.argv[2])
sys.exit(0 if answer is True else f"{answer}: {sys.argv[2]}")' "$stdout" "$1"
}

@test "compare: a changed class is neither worse nor better, and always shown" {
  need_documents
  changed new.json 'b("cr3").update(handled_by="kernel"); shift("cr3", 1000)
b("rdtsc")["exits"]["faults"] = 20000; shift("rdtsc", -1)'
  run_apart "$wsbench" compare "$DOC" new.json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -E '^cr3 .* \+1,000 .* changed' <<<"$stdout"
  grep -E '^rdtsc .* -1 .* changed' <<<"$stdout"
  [[ $stdout == *"handled by none, now by kernel"* && $stdout == *"handled by none, now by fault"* ]]
  [[ $stdout == *"0 worse, 0 better, 2 changed, 2 same; "* ]]
  run_apart "$wsbench" compare --json "$DOC" new.json
  json 'd["outcome"] == "changed" and d["summary"]["changed"] == 2'
  json 'row("cr3")["verdict"] == "changed" and row("rdtsc")["new_handled_by"] == "fault"'
  run_apart "$wsbench" compare --markdown "$DOC" new.json
  [[ $stdout == "### wsbench: "*" changed"*"| cr3 |"*"| changed |"*"<details>"* ]]
  # --fail-on changed; a row that is worse has priority.
  run_apart "$wsbench" compare "$DOC" new.json --fail-on changed
  [ "$status" = 1 ]
  run_apart "$wsbench" compare "$DOC" "$DOC" --fail-on changed
  [ "$status" = 0 ]
  changed both.json 'b("cr3").update(handled_by="kernel"); shift("invlpg", 1)'
  run_apart "$wsbench" compare "$DOC" both.json
  [ "$status" = 1 ]
  [[ $stdout == *"1 worse, 0 better, 1 changed,"* ]]
  refused 2 "--fail-on better: not a verdict" "$wsbench" compare "$DOC" "$DOC" --fail-on better
  refused 2 "--fail-on distribution: only of a history (wsbench history check)" \
    "$wsbench" compare "$DOC" "$DOC" --fail-on distribution
}

@test "ranges over boots: overlapping ranges are the same, others differ by the nearest ends" {
  need_documents
  # Two boots of each document; the second boot is changed.
  local second='
def second(name, by):
    boots = b(name)["metrics"][0]["boots"]
    assert len(boots) == 2
    boots[1]["summary"]["p50"] += by
    b(name)["metrics"][0]["estimate"]["value"] += by / 2
'
  changed base.json "$second"'shift("cr3", 100); second("cr3", 1)'
  changed meets.json "$second"'shift("cr3", 101); second("cr3", 1); second("rdtsc", -1)'
  changed apart.json "$second"'shift("cr3", 103); second("cr3", 5)'
  run_apart "$wsbench" compare --all base.json meets.json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -E '^cr3 +[0-9]+ to [0-9]+ +[0-9]+ to [0-9]+ +0 .* same \(placement\)$' <<<"$stdout"
  [[ $stdout == *"0 worse, 0 better, 2 same, 2 same (placement)"* ]]
  # Rows without a difference are listed only with --all.
  run_apart "$wsbench" compare base.json meets.json
  [ "$status" = 0 ]
  [[ $stdout != *cr3* && $(tr -s "\n " " " <<<"$stdout") == *"; --all shows the same"* ]]
  run_apart "$wsbench" compare base.json apart.json
  [ "$status" = 1 ]
  grep -E '^cr3 .* \+2 .* worse' <<<"$stdout"
  run_apart "$wsbench" compare --json base.json apart.json
  json 'row("cr3")["difference"] == 2 == row("cr3")["new_min"] - row("cr3")["base_max"]'
  json 'row("cr3")["difference_of"] == "nearest ends of the ranges over boots"'
  run_apart "$wsbench" compare --json base.json meets.json
  json 'row("cr3")["verdict"] == "same (placement)" == row("rdtsc")["verdict"]'
  json 'd["summary"]["same (placement)"] == 2 and d["outcome"] == "same"'
}

@test "compare: a threshold lets regressions pass, and the summary counts them" {
  need_documents
  changed base.json 'shift("cr3", 1000); shift("rdtsc", 1000); shift("invlpg", 1000)'
  changed new.json 'shift("cr3", 1005); shift("rdtsc", 1020); shift("invlpg", 900)'
  run_apart "$wsbench" compare base.json new.json
  [ "$status" = 1 ]
  [[ $stdout == *"2 worse, 1 better"* && $stdout != *"within --threshold"* ]]
  run_apart "$wsbench" compare base.json new.json --threshold 1%
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  grep -E '^cr3 .* \+5 .* worse, within threshold$' <<<"$stdout"
  grep -E '^rdtsc .* \+20 .* worse$' <<<"$stdout"
  [[ $stdout == *"1 worse, 1 better, 1 same"* ]]
  [[ $stdout == *"1 worse within --threshold: cr3 +5 insns (+0.5 %)"* ]]
  # In the unit of the rows, and for some rows only.
  run_apart "$wsbench" compare base.json new.json --threshold 20insns
  [ "$status" = 0 ]
  [[ $stdout == *"0 worse, 1 better"*"2 worse within --threshold: "*"rdtsc +20 insns"* ]]
  run_apart "$wsbench" compare base.json new.json --threshold 1% --threshold 'rd*=20insns'
  [ "$status" = 0 ]
  run_apart "$wsbench" compare base.json new.json --threshold 'rd*=1%' --threshold 20insns
  [ "$status" = 1 ]
  # The unit of these rows is not ticks.
  run_apart "$wsbench" compare base.json new.json --threshold 20ticks
  [ "$status" = 1 ]
  [[ $stdout == *"2 worse, 1 better"* ]]
  run_apart "$wsbench" compare base.json new.json --threshold 1% --threshold 'rd*=20insns' --json
  json 'd["outcome"] == "better" and d["summary"]["worse"] == 2 == d["summary"]["worse_let_pass"]'
  json 'row("cr3")["let_pass"] == "1%" and row("rdtsc")["let_pass"] == "rd*=20insns"'
  json 'row("cr3")["verdict"] == "worse" and row("invlpg")["let_pass"] is None'
  run_apart "$wsbench" compare base.json new.json --threshold 20insns --markdown
  [[ $stdout == "### wsbench: :white_check_mark: better"*"2 worse within --threshold: "*"cr3 +5 insns"* ]]
}

@test "invalid thresholds" {
  need_documents
  refused 2 "--threshold 5: a number without a unit" "$wsbench" compare "$DOC" "$DOC" --threshold 5
  refused 2 "--threshold -1%: '-1%' is not an amount" "$wsbench" compare "$DOC" "$DOC" --threshold -1%
  refused 2 "'insn' is not a unit" "$wsbench" compare "$DOC" "$DOC" --threshold 5insn
  refused 2 "no benchmark before '='" "$wsbench" compare "$DOC" "$DOC" --threshold =5%
  refused 2 "--threshold mmoi_*=5%: no benchmark matches 'mmoi_*'" \
    "$wsbench" compare "$DOC" "$DOC" --threshold 'mmoi_*=5%'
  # A benchmark of other targets is valid: a gate of several targets has one list.
  run_apart "$wsbench" compare "$DOC" "$DOC" --threshold 'mmio_*=5%'
  [ "$status" = 0 ]
}

@test "missing figures have a reason, and the exit code is 3" {
  need_documents
  changed new.json 'b("cr3").update(status="fail", reason="the guest crashed", metrics=[])
d["benchmarks"].remove(b("rdtsc"))'
  run_apart "$wsbench" compare "$DOC" new.json
  echo "$stdout$stderr"
  [ "$status" = 3 ]
  grep -E '^cr3 .* fail .* not compared' <<<"$stdout"
  grep -E '^rdtsc .* - .* not compared' <<<"$stdout"
  [[ $stdout == *"NEW: fail: the guest crashed"* && $stdout == *"NEW: not in the document"* ]]
  [[ $stdout == *"2 not compared (2 of them measured in base)"* ]]
  # With the documents exchanged no row is lost.
  run_apart "$wsbench" compare new.json "$DOC"
  [ "$status" = 0 ]
}

@test "two machines, targets or units are compared only with --across" {
  need_documents
  changed machine.json 'd["machine"].update(fingerprint="0000000000000000", cpu_model="another CPU")'
  refused 2 "and another CPU (--across machines compares them)" "$wsbench" compare "$DOC" machine.json
  run_apart "$wsbench" compare --across machines "$DOC" machine.json
  [ "$status" = 0 ]
  changed target.json 'd["target"]["name"] = "bare:elsewhere"'
  refused 2 "different targets" "$wsbench" compare "$DOC" target.json
  run_apart "$wsbench" compare --across targets "$DOC" target.json
  [ "$status" = 0 ]
  changed unit.json 'b("null")["metrics"][0]["unit"] = "ticks"'
  refused 2 "null: different units, insns and ticks" "$wsbench" compare "$DOC" unit.json
  run_apart "$wsbench" compare --across units "$DOC" unit.json
  [ "$status" = 3 ]
  [[ $stdout == *"units cannot be compared"* ]]
}

@test "different settings and lost boots have a remark" {
  need_documents
  changed new.json 'd["environment"]["checks"][0]["value"] = "odd"
b("null")["metrics"][0]["boots"][0].update(valid=False, reject_reason="moved")
d["run"]["partial"] = True'
  run_apart "$wsbench" compare "$DOC" new.json
  echo "$stdout"
  [[ $stdout == *"differs: "*"odd in new."* ]]
  [[ $stdout == *"1 of 8 boots of new were rejected"* ]]
  [[ $stdout == *"The run of new ended early."* ]]
}

@test "--json is JSON and contains every row" {
  need_documents
  changed new.json 'shift("cr3", 1)'
  run_apart "$wsbench" compare --json "$DOC" new.json
  [ "$status" = 1 ]
  python3 -c '
import json, sys
d = json.loads(sys.argv[1])
assert d["schema"] == "worldswitch.compare" and d["outcome"] == "worse", d
assert d["summary"] == {"worse": 1, "better": 0, "changed": 0, "worse?": 0, "better?": 0,
                        "inconclusive": 0, "none": 0, "same (placement)": 0, "same": 3, "lost": 0,
                        "worse_let_pass": 0, "inconclusive_let_pass": 0}, d
row = next(r for r in d["rows"] if r["name"] == "cr3")
assert row["verdict"] == "worse" and row["exact"] and row["difference"] == 1, row
assert row["new"] - row["base"] == 1 and row["p"] is None, row
assert row["difference_of"] == "figures" and row["shift"] is None and row["shift_of"] is None, row
assert row["base_handled_by"] == "none" and row["let_pass"] is None, row
' "$stdout"
}

@test "--markdown lists changed rows first and folds the rest" {
  need_documents
  changed new.json 'shift("cr3", 1)
b("null").update(status="skip", reason="a | b <script>", metrics=[])'
  run_apart "$wsbench" compare --markdown "$DOC" new.json
  echo "$stdout"
  [ "$status" = 1 ]
  [[ $stdout == "### wsbench: :x: worse"* ]]
  [[ $stdout == *"| cr3 |"*"| worse |"*"<details>"*"| null |"*"</details>"* ]]
  [[ $stdout != *"<script>"* && $stdout == *'a \| b'* ]]
}

@test "two configs of one document" {
  need_documents
  changed both.json '
other = json.loads(json.dumps(b("cr3")))
other["config"] = "loop-bare"
d["benchmarks"].append(other)
shift("cr3", 7)'
  run_apart "$wsbench" compare both.json --config default,loop-bare --bench cr3
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == *"base: default"*"new:  loop-bare"* ]]
  grep -E '^cr3 .* -7 .* better$' <<<"$stdout"
  run_apart "$wsbench" compare both.json --config loop-bare,default --bench cr3
  [ "$status" = 1 ]
  # The other rows ran under one config only, and count as lost.
  run_apart "$wsbench" compare both.json --config default,loop-bare
  [ "$status" = 3 ]
  [[ $stdout == *"loop-bare: not in the document"* ]]
  refused 2 "no benchmark has config 'pmu-off' (has: default, loop-bare)" "$wsbench" compare both.json --config default,pmu-off
}

@test "bad usage of compare is one line" {
  need_documents
  refused 2 "no documents" "$wsbench" compare
  refused 2 "only one document" "$wsbench" compare "$DOC"
  refused 2 "--config A,B: of at most two documents" "$wsbench" compare "$DOC" "$DOC" "$DOC" --config a,b
  refused 2 "takes two names" "$wsbench" compare "$DOC" --config default
  refused 2 "twice" "$wsbench" compare "$DOC" --config default,default
  refused 2 "an empty name" "$wsbench" compare "$DOC" --config default,
  refused 2 "not one of machines, targets, units" "$wsbench" compare "$DOC" "$DOC" --across boats
  refused 2 "no benchmark matches 'nul'" "$wsbench" compare "$DOC" "$DOC" --bench null,nul
  refused 2 "no benchmark has the metric 'hue'" "$wsbench" compare "$DOC" "$DOC" --metric hue
  refused 2 "no benchmark has the metric 'hue'" "$wsbench" compare "$DOC" "$DOC" --metric round_trip,hue
}

@test "bad input of compare is one line" {
  need_documents
  refused 2 "missing.json" "$wsbench" compare "$DOC" missing.json
  : >empty.json
  refused 2 "empty.json" "$wsbench" compare empty.json "$DOC"
  head -c 1000 "$DOC" >short.json
  refused 2 "short.json" "$wsbench" compare "$DOC" short.json
  echo '{"name": "left-pad", "version": "1.0.0"}' >foreign.json
  refused 2 "foreign.json" "$wsbench" compare "$DOC" foreign.json
  head -c 100000 /dev/urandom >noise.json
  refused 2 "noise.json" "$wsbench" compare noise.json noise.json
  truncate -s 300M huge.json
  refused 2 "huge.json" "$wsbench" compare "$DOC" huge.json
  refused 2 "." "$wsbench" compare "$DOC" .
  changed none.json 'd["benchmarks"] = []'
  refused 2 "the document has no benchmark" "$wsbench" compare none.json none.json
}

@test "extreme figures of a document end in a message, not in a crash" {
  need_documents
  changed new.json '
b("cr3")["metrics"][0]["estimate"]["value"] = None
for boot in b("null")["metrics"][0]["boots"]: boot["valid"] = False
for boot in b("rdtsc")["metrics"][0]["boots"]: boot["summary"]["p50"] = 1e308
b("rdtsc")["metrics"][0]["estimate"]["value"] = 1e308
b("invlpg")["metrics"][0]["boots"] = []'
  for form in '' --json --markdown; do
    # shellcheck disable=SC2086  # empty, or an option
    run_apart "$wsbench" compare $form "$DOC" new.json
    echo "$stdout$stderr"
    [ "$status" = 1 ]
    [ -z "$stderr" ]
  done
}

@test "run --aa: no difference is found, and the detectable difference is printed" {
  need_documents
  run_apart "$wsbench" run --quiet --on bare:x86_64 --bench null,cr3 --boots 3 --aa -o aa.json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  holds aa.json 'len(m("cr3")["boots"]) == 6'
  [[ $stdout == *"A/A, bare:x86_64: 3 pairs of boots"* ]]
  [[ $stdout == *"pairs: 0 of 2 differences found"*"runs: 0 of 2 differences found"* ]]
}

@test "make compare" {
  need_documents
  changed new.json 'shift("cr3", 1)'
  # Nothing is rebuilt: other tests use the build.
  # Without the ARGS of the make that runs the tests.
  make=(env -u MAKEFLAGS -u ARGS make -s -C "$top" -o build/wsbench)
  run "${make[@]}" compare "A=$DOC" "B=$PWD/new.json"
  echo "$output"
  [ "$status" = 2 ]
  [[ $output == *cr3*worse* ]]
  run "${make[@]}" compare "A=$DOC" "B=$DOC"
  [ "$status" = 0 ]
  run "${make[@]}" compare
  [ "$status" = 2 ]
  [[ $output == *"usage: make compare A=BASE.json B=NEW.json"* ]]
}

# noisy FILE RUN BY: a copy of the document as run number RUN of a noisy target, with ten
# boots; the figures of cr3 are higher by a share BY.
noisy() {
  changed "$1" "
import random
random.seed($2)
d['target']['exact'] = False
d['run']['id'] = 'run-$2'
d['run']['started'] = '2026-11-27T%02d:00:00Z' % $2
for x in d['benchmarks']:
    m = x['metrics'][0]
    level = 10000 * (1 + random.gauss(0, 0.002)) * (1 + ($3 if x['name'] == 'cr3' else 0))
    m['boots'] = [dict(m['boots'][0], index=i) for i in range(10)]
    for boot in m['boots']:
        boot['summary'] = dict(boot['summary'], p50=level * (1 + random.gauss(0, 0.001)))
    m['estimate']['value'] = level"
}

@test "--new: several runs of each side are the unit" {
  need_documents
  mkdir a b
  for i in 1 2 3 4; do
    noisy a/$i.json $((2 * i)) 0
    noisy b/$i.json $((2 * i + 1)) 0.1
  done
  run "$wsbench" compare --base a/1.json a/2.json a/3.json a/4.json --new b/1.json b/2.json b/3.json b/4.json
  [ "$status" = 1 ]
  grep -Eq '^cr3 .* worse$' <<< "$output"
  grep -q '4 runs of base and 4 of new' <<< "$output"
  grep -q '^base: a/1.json and 3 more: 4 runs' <<< "$output"
  # Folders, the base first or last, and the base before --new.
  "$wsbench" compare --new b --base a --json > folders.json || [ $? = 1 ]
  "$wsbench" compare a --new b --json > order.json || [ $? = 1 ]
  python3 - folders.json order.json <<'END'
import json, sys
for name in sys.argv[1:]:
    d = json.load(open(name))
    row = next(r for r in d["rows"] if r["name"] == "cr3")
    assert d["base_runs"] == d["new_runs"] == 4 and 0 < d["run_row_sd"] < 0.02, d
    assert row["verdict"] == "worse" and row["method"] == "moderated t", row
    assert row["base_runs"] == 4 and row["base_boots"] == 40, row
END
  "$wsbench" compare a --new b --markdown > comment.md || [ $? = 1 ]
  grep -q ':x: worse' comment.md
}

@test "one noisy run of each side is worse? at most, with exit code 3" {
  need_documents
  noisy a.json 1 0
  noisy b.json 2 0.1
  run "$wsbench" compare a.json b.json
  [ "$status" = 3 ]
  grep -Eq '^cr3 .* worse\?' <<< "$output"
  grep -q 'For a verdict, measure each side' <<< "$output"
  run "$wsbench" compare a.json b.json --fail-on 'worse?'
  [ "$status" = 1 ]
  run "$wsbench" compare a.json b.json --threshold 20%
  [ "$status" = 0 ]
}

@test "--new: runs must differ, and have a base" {
  need_documents
  noisy a.json 1 0
  noisy b.json 2 0
  run "$wsbench" compare --base a.json a.json --new b.json
  [ "$status" = 2 ]
  grep -q 'the run run-1 is given twice' <<< "$output"
  run "$wsbench" compare --new a.json b.json
  [ "$status" = 2 ]
  grep -q 'no base' <<< "$output"
  # A clock with steps of 2 ms times no exit.
  noisy c.json 3 0.1
  python3 -c 'import json; d = json.load(open("c.json")); d["clock"]["hz"] = 10 ** 9; d["clock"]["resolution"] = 2 * 10 ** 6; json.dump(d, open("c.json", "w"))'
  run "$wsbench" compare a.json c.json
  [ "$status" = 2 ]
  grep -q 'run-3 is invalid' <<< "$output"
}

@test "run --runs writes a document per run, and compare --aa finds nothing between them" {
  need_documents
  "$wsbench" run --quiet --on bare:x86_64 --bench null,cr3 --runs 4 -o runs >/dev/null
  [ "$(ls runs)" = "$(printf 'bare-x86_64-%d.json\n' 1 2 3 4)" ]
  run "$wsbench" compare --aa runs
  [ "$status" = 0 ]
  grep -q '4 runs: 0 of 2 differences found' <<< "$output"
  run "$wsbench" compare --aa runs/bare-x86_64-1.json runs/bare-x86_64-2.json
  [ "$status" = 2 ]
  run "$wsbench" run --on bare:x86_64 --bench null --runs 2
  [ "$status" = 2 ]
  # Noisy, without a difference and with one in every second run.
  mkdir same apart
  for i in 1 2 3 4 5 6; do
    noisy same/$i.json "$i" 0
    noisy apart/$i.json "$i" "0.$((i % 2))"
  done
  run "$wsbench" compare --aa same
  [ "$status" = 0 ]
  grep -q 'A change of .* is seen in the best of 4 rows' <<< "$output"
  run "$wsbench" compare --aa apart
  [ "$status" = 3 ]
  grep -q '6 runs: 1 of 4 differences found' <<< "$output"
}

@test "run --decide and --budget add boots on a noisy target alone" {
  need_documents
  "$wsbench" run --quiet --on bare:x86_64 --bench null --decide 2% --budget 5s -o exact.json >/dev/null
  python3 -c '
import json
m = json.load(open("exact.json"))["benchmarks"][0]["metrics"][0]
assert len(m["boots"]) == 2, len(m["boots"])'
  for bad in "--decide 1%" "--decide 2x" "--budget 5" "--budget -1s" "--budget 25h"; do
    # shellcheck disable=SC2086 # an option and its value
    run "$wsbench" run --on bare:x86_64 --bench null $bad
    [ "$status" = 2 ]
  done
}

@test "run --budget boots until the time is over, and --decide until the boots are enough" {
  local why
  if why=$(unavailable kvm); then
    skip "kvm: $why"
  fi
  "$wsbench" run --quiet --on kvm --bench cpuid --boots 2 --events 20 --budget 2s -o budget.json >/dev/null
  "$wsbench" run --on kvm --bench cpuid --boots 2 --events 20 --decide 100% --budget 1m -o decide.json >/dev/null 2> messages
  grep -Eq 'kvm: [0-9]+ boots of each row are enough for changes of 100 %' messages
  python3 -c '
import json
boots = [len(json.load(open(name))["benchmarks"][0]["metrics"][0]["boots"])
         for name in ("budget.json", "decide.json")]
assert boots[0] > 2 and boots[1] >= 4, boots'
}
