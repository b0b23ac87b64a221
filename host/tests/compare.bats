#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench compare` on documents that a target without a hypervisor made, and on
# what is no document at all.

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

# changed FILE STATEMENT: a copy of the document after a Python statement over it: `d`
# is all of it, b(name) a benchmark.
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

@test "two runs of the same are the same" {
  need_documents
  "$wsbench" run --quiet --on bare:x86_64 --bench null,rdtsc,cr3,invlpg -o again.json >/dev/null
  run_apart "$wsbench" compare "$DOC" again.json
  echo "$stdout$stderr"
  [ "$status" = 0 ] && [ -z "$stderr" ]
  [[ $stdout == *"0 worse, 0 better, 4 same, 0 inconclusive, 0 not compared"* ]]
  # What is the same is not listed unless asked for.
  [[ $stdout != *invlpg* ]]
  run_apart "$wsbench" compare --all "$DOC" again.json
  [ "$status" = 0 ] && [[ $stdout == *invlpg*same* ]]
}

@test "one instruction more is worse, and the code says so" {
  need_documents
  changed new.json 'shift("cr3", 1); shift("rdtsc", -1)'
  run_apart "$wsbench" compare "$DOC" new.json
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  grep -E '^cr3 .* \+1 .* worse$' <<<"$stdout"
  grep -E '^rdtsc .* -1 .* better$' <<<"$stdout"
  [[ $stdout == *"1 worse, 1 better, 2 same"* ]]
  run_apart "$wsbench" compare "$DOC" new.json --bench 'rd*'
  [ "$status" = 0 ] && [[ $stdout == *"0 worse, 1 better, 0 same"* ]]
}

@test "what is missing is shown with its reason, and the code says that it is not known" {
  need_documents
  changed new.json 'b("cr3").update(status="fail", reason="the guest crashed", metrics=[])
d["benchmarks"].remove(b("rdtsc"))'
  run_apart "$wsbench" compare "$DOC" new.json
  echo "$stdout$stderr"
  [ "$status" = 3 ]
  grep -E '^cr3 .* fail .* not compared' <<<"$stdout"
  grep -E '^rdtsc .* - .* not compared' <<<"$stdout"
  [[ $stdout == *"NEW: fail: the guest crashed"* && $stdout == *"NEW: not there"* ]]
  [[ $stdout == *"2 not compared (2 of them measured in base)"* ]]
  # The other way round nothing is lost.
  run_apart "$wsbench" compare new.json "$DOC"
  [ "$status" = 0 ]
}

@test "two machines, targets, or units are not compared unless told to" {
  need_documents
  changed machine.json 'd["machine"]["fingerprint"] = "0000000000000000"'
  refused 2 "different machines" "$wsbench" compare "$DOC" machine.json
  run_apart "$wsbench" compare --across machines "$DOC" machine.json
  [ "$status" = 0 ]
  changed target.json 'd["target"]["name"] = "bare:elsewhere"'
  refused 2 "different targets" "$wsbench" compare "$DOC" target.json
  run_apart "$wsbench" compare --across targets "$DOC" target.json
  [ "$status" = 0 ]
  changed unit.json 'b("null")["metrics"][0]["unit"] = "ticks"'
  refused 2 "null is in insns and in ticks" "$wsbench" compare "$DOC" unit.json
  run_apart "$wsbench" compare --across units "$DOC" unit.json
  [ "$status" = 3 ] && [[ $stdout == *"no telling which is better"* ]]
}

@test "settings that differ and boots that were lost are noted" {
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

@test "json says everything, as JSON" {
  need_documents
  changed new.json 'shift("cr3", 1)'
  run_apart "$wsbench" compare --json "$DOC" new.json
  [ "$status" = 1 ]
  python3 -c '
import json, sys
d = json.loads(sys.argv[1])
assert d["schema"] == "worldswitch.compare" and d["outcome"] == "worse", d
assert d["summary"] == {"worse": 1, "better": 0, "inconclusive": 0, "none": 0, "same": 3, "lost": 0}, d
row = next(r for r in d["rows"] if r["name"] == "cr3")
assert row["verdict"] == "worse" and row["exact"] and row["difference"] == 1, row
assert row["new"] - row["base"] == 1 and row["p"] is None, row
' "$stdout"
}

@test "markdown puts what changed first and folds the rest" {
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
  # The rest ran under one of the two only, and is said to have been lost.
  run_apart "$wsbench" compare both.json --config default,loop-bare
  [ "$status" = 3 ] && [[ $stdout == *"loop-bare: not there"* ]]
  refused 2 "nothing ran under config 'pmu-off'" "$wsbench" compare both.json --config default,pmu-off
}

@test "bad usage is one line" {
  need_documents
  refused 2 "which documents" "$wsbench" compare
  refused 2 "and what?" "$wsbench" compare "$DOC"
  refused 2 "unexpected argument" "$wsbench" compare "$DOC" "$DOC" "$DOC"
  refused 2 "takes two names" "$wsbench" compare "$DOC" --config default
  refused 2 "twice" "$wsbench" compare "$DOC" --config default,default
  refused 2 "an empty name" "$wsbench" compare "$DOC" --config default,
  refused 2 "none of machines, targets, units" "$wsbench" compare "$DOC" "$DOC" --across boats
  refused 2 "no benchmark is called 'nul'" "$wsbench" compare "$DOC" "$DOC" --bench null,nul
  refused 2 "such a metric" "$wsbench" compare "$DOC" "$DOC" --metric hue
}

@test "bad input is one line" {
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
  refused 2 "not one benchmark" "$wsbench" compare none.json none.json
}

@test "figures at the edge of what JSON can say end in words, not in a crash" {
  need_documents
  changed new.json '
b("cr3")["metrics"][0]["estimate"]["value"] = None
for boot in b("null")["metrics"][0]["boots"]: boot["valid"] = False
for boot in b("rdtsc")["metrics"][0]["boots"]: boot["summary"]["p50"] = 1e308
b("rdtsc")["metrics"][0]["estimate"]["value"] = 1e308
b("invlpg")["metrics"][0]["boots"] = []'
  for form in '' --json --markdown; do
    # shellcheck disable=SC2086  # nothing, or an option
    run_apart "$wsbench" compare $form "$DOC" new.json
    echo "$stdout$stderr"
    [ "$status" = 1 ] && [ -z "$stderr" ]
  done
}

@test "a run against itself: nothing is found, and what would be is said" {
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
  run make -s -C "$top" compare "A=$DOC" "B=$PWD/new.json"
  echo "$output"
  [ "$status" = 2 ] && [[ $output == *cr3*worse* ]]
  run make -s -C "$top" compare "A=$DOC" "B=$DOC"
  [ "$status" = 0 ]
  run make -s -C "$top" compare
  [ "$status" = 2 ] && [[ $output == *"usage: make compare A=BASE.json B=NEW.json"* ]]
}
