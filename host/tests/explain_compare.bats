#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Explanations of two rows: compare --explain, explain --diff.
bats_require_minimum_version 1.5.0
load helper
load explain_helper

@test "explanations without kinds or of two architectures are not compared" {
  local explain=("$wsbench" explain)
  explanation with.json aarch64 1
  explanation without.json aarch64 0
  explanation x86_64.json x86_64 1
  refused 2 'without.json: has no kinds' "${explain[@]}" without.json --kinds
  refused 2 'without.json: has no kinds' "${explain[@]}" with.json --diff without.json --kinds
  refused 2 'without.json: has no kinds' "${explain[@]}" without.json --diff with.json --kinds
  refused 2 'x86_64.json: an explanation of x86_64 cannot be compared with one of aarch64' "${explain[@]}" with.json --diff x86_64.json
  # No kernel exists: explain fails before a boot.
  export WORLDSWITCH_CACHE=$PWD
  local new=("${explain[@]}" --on lab:aarch64-vhe --bench hypercall)
  refused 2 'without.json: has no kinds' "${new[@]}" --kinds --diff without.json
  refused 2 'x86_64.json: an explanation of x86_64 cannot be compared with one of aarch64' "${new[@]}" --diff x86_64.json
  nothing_left with.json without.json x86_64.json
}

@test "explanations of SVM and VMX are compared with --across vendors only" {
  local explain=("$wsbench" explain)
  explanation svm.json x86_64 1 SVM
  explanation vmx.json x86_64 1 VMX
  explanation vhe.json aarch64 1 'arm64 VHE'
  explanation nvhe.json aarch64 1 'arm64 nVHE'
  refused 2 '(--across vendors compares them)' "${explain[@]}" vmx.json --diff svm.json
  refused 2 '--across: nothing to compare' "${explain[@]}" vmx.json --across vendors
  refused 2 "'boats' is not 'vendors'" "${explain[@]}" vmx.json --diff svm.json --across boats
  # No kernel exists: explain fails before a boot.
  WORLDSWITCH_CACHE=$PWD refused 2 'svm.json: an explanation of SVM cannot be compared with one of VMX' \
    "${explain[@]}" --on lab:x86_64-vmx --bench hypercall --diff svm.json
  run_apart "${explain[@]}" vmx.json --diff svm.json --across vendors --kinds
  [ "$status" = 0 ]
  grep -q '2 more, unchanged' <<<"$stdout"
  run_apart "${explain[@]}" nvhe.json --diff vhe.json
  [ "$status" = 0 ]
  nothing_left svm.json vmx.json vhe.json nvhe.json
}

@test "compare --explain: lab:aarch64-vhe: what a virtual PMU adds to a hypercall" {
  need_target lab:aarch64-vhe
  local configs=pmu-off,pmu-emulated
  "$wsbench" run --quiet --on lab:aarch64-vhe --bench hypercall,cntvct --config "$configs" --boots 1 --events 50 -o d.json
  run_apart "$wsbench" compare d.json --config "$configs" --explain --json
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  echo "$stdout" >compare.json
  python3 - compare.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
row = next(r for r in d["rows"] if r["name"] == "hypercall")
assert row["difference"] > 0 and d["explained"] == {"rows": 1, "cut": 0, "refusal": None}, d
e, = d["explanations"]
assert e["reason"] is None, e
for parts in (d["explained_layers"], d["explained_functions"]):
    assert sum(p["difference"] for p in parts) == row["difference"], parts
first = d["explained_functions"][0]
assert first["function"] == "kvm_pmu_update_state" and first["layer"] == "PMU", first
END
  # The kernel of the base was another: this one has other figures.
  python3 - d.json old.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
b = next(b for b in d["benchmarks"] if b["name"] == "hypercall" and b["config"] == "pmu-off")
m = next(m for m in b["metrics"] if m["name"] == "round_trip")
m["estimate"]["value"] -= 1
m["estimate"]["ci"].update(lo=m["estimate"]["value"], hi=m["estimate"]["value"])
for boot in m["boots"]:
    boot["summary"] = {k: v if k == "n" or v is None or k in ("sd", "mad") else v - 1 for k, v in boot["summary"].items()}
json.dump(d, open(sys.argv[2], "w"))
END
  run_apart "$wsbench" compare old.json --config "$configs" --explain
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  grep -q 'not explained: Linux .* insns now, the document has .*(--base-kernel' <<<"$(tr -s ' \n' ' ' <<<"$stdout")"
  nothing_left d.json old.json compare.json
}

@test "compare --explain starts no program that a document names" {
  lab_document a.json lab:aarch64-vhe 6.1.0-made-up 100
  lab_document b.json lab:aarch64-vhe 6.1.0-made-up 107
  printf '#!/bin/sh\ntouch "%s/started"\n' "$PWD" >evil
  chmod +x evil
  python3 - "$PWD/evil" <<'PY'
import json, sys
d = json.load(open("b.json"))
d["run"]["argv"] = ["wsbench", "run", "--emulator", sys.argv[1]]
json.dump(d, open("b.json", "w"))
PY
  run_apart "$wsbench" compare a.json b.json --explain --base-kernel made-up
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [ ! -e started ]
  run_apart "$wsbench" compare b.json a.json --explain=all
  echo "$stdout$stderr"
  [[ $(tr -s ' \n' ' ' <<<"$stdout") == *"not explained: base names a program to start, $PWD/evil (--emulator starts it)"* ]]
  [ ! -e started ]
  refused 2 '--emulator: nothing to boot' "$wsbench" compare a.json b.json --emulator evil
}

@test "compare --explain refuses what is not a lab, and names a kernel that is not here" {
  local compare=("$wsbench" compare) lab
  lab_document a.json lab:aarch64-vhe 6.1.0-made-up 100
  lab_document b.json lab:aarch64-vhe 6.1.0-made-up 107
  lab_document same.json lab:aarch64-vhe 6.1.0-made-up 100
  lab_document kvm.json kvm 6.1.0-made-up 100
  lab_document bare.json bare:x86_64 6.1.0-made-up 100
  refused 2 'kvm is not a lab' "${compare[@]}" kvm.json kvm.json --explain
  refused 2 'bare:x86_64 is not a lab' "${compare[@]}" bare.json bare.json --explain=all
  refused 2 '--explain=some: not one of worse, all' "${compare[@]}" a.json b.json --explain=some
  refused 2 '--explain-rows: nothing to limit' "${compare[@]}" a.json b.json --explain-rows 3
  refused 2 '--explain-rows' "${compare[@]}" a.json b.json --explain --explain-rows 0
  # The verdict, and its exit code, stay.
  WORLDSWITCH_CACHE=$PWD run_apart "${compare[@]}" a.json b.json --explain
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $stdout == *'1 worse'*'not explained: base: '*6.1.0-made-up* ]]
  for lab in aarch64 x86_64-svm x86_64-vmx; do
    lab_document smp.json lab:$lab-smp 6.1.0-made-up 100
    lab_document smp2.json lab:$lab-smp 6.1.0-made-up 107
    run_apart "${compare[@]}" smp.json smp2.json --explain --markdown
    echo "$stdout$stderr"
    [ "$status" = 1 ]
    [[ ${stdout//\\/} == *"> not explained: lab:$lab-smp: explain follows machines of one CPU"* ]]
  done
  # Nothing got worse: no kernel is looked for.
  run_apart "${compare[@]}" a.json same.json --explain
  [ "$status" = 0 ]
  [[ $stdout != *explained* ]]
  run_apart "${compare[@]}" b.json a.json --explain=worse
  [ "$status" = 0 ]
  [[ $stdout != *explained* ]]
}
