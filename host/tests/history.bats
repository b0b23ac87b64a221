#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench history`: changes and their runs, bad usage.
bats_require_minimum_version 1.5.0
load helper
load history_helper

@test "history show: core and a glob select benchmarks" {
  document doc.json r v1 hypercall=100 cr8_read=10 wbinvd=5
  "$wsbench" history add --quiet --db h.jsonl doc.json
  run_apart "$wsbench" history show --db h.jsonl --bench 'core,cr8_*' --json
  [ "$status" = 0 ]
  [ "$(json 'sorted(s["benchmark"] for s in d["series"])')" = "['cr8_read', 'hypercall']" ]
}

@test "history check: a step of one instruction is found and attributed to its run" {
  series v 100 100 101
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 1 ]
  [[ $stdout == *"v3 (6.1.0-56-cloud-amd64), after v2 (6.1.0-56-cloud-amd64):"* ]]
  [[ $stdout == *"null"*"100"*"101"*"+1.0 %  worse"* ]]
  # The rows follow the line of their step.
  grep -A1 'after v2' <<<"$stdout" | grep -q '^    null '
  [[ $stdout == *"1 series: 1 became worse, 0 better"* ]]
  # After a further run, the step does not belong to the newest run.
  series w 101
  run_apart "$wsbench" history check --db h.jsonl --last 1
  [[ $stdout == *" in the newest run ("*" before)"* ]]
  [ "$status" = 0 ]
  run_apart "$wsbench" history check --db h.jsonl --last 2
  [ "$status" = 1 ]
  nothing_left h.jsonl
}

@test "history check: an improvement is reported, with exit code 0" {
  series v 100 100 99
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *"-1.0 %  better"* ]]
}

@test "history check: overlapping ranges are not a change, disjoint ranges are" {
  series v 100 99..101 100..103 104..110 110
  run_apart "$wsbench" history check --db h.jsonl
  echo "$stdout"
  [ "$status" = 1 ]
  [[ $stdout == *"v4 (6.1.0-56-cloud-amd64), after v3"*"null  "*"100"*"104"*"worse (ranges over "* ]]
  [[ $stdout == *"1 series: 1 became worse, 0 better"* ]]
  run_apart "$wsbench" history show --db h.jsonl
  grep -E ' 3 +99 to 103$' <<<"$stdout"
  grep -E ' 2 +104 to 110 +\+4.00 %  worse$' <<<"$stdout"
}

@test "history check: a changed class is neither worse nor better, and always shown" {
  series v 100
  HANDLED_BY=user series w 200 201
  run_apart "$wsbench" history check --db h.jsonl --bench null
  echo "$stdout"
  [ "$status" = 1 ]
  [[ $stdout == *"w1 (6.1.0-56-cloud-amd64), after v1 (6.1.0-56-cloud-amd64): 0 worse, 0 better, 1 changed"* ]]
  [[ $stdout == *"+100.0 %  changed: handled by kernel, now by user"* ]]
  [[ $stdout == *"1 series: 1 became worse, 0 better; 1 changed their class"* ]]
  # A change of class is not a regression.
  sed -i 3d h.jsonl
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  run_apart "$wsbench" history check --db h.jsonl --fail-on distribution
  [ "$status" = 0 ]
  run_apart "$wsbench" history check --db h.jsonl --fail-on changed
  [ "$status" = 1 ]
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$status" = 0 ]
  [ "$(json '[(c["verdict"], c["class"], c["before"], c["after"]) for c in d["changes"]]')" = \
    "[('changed', 'handled by kernel, now by user', 100, 200)]" ]
  [ "$(json 'd["summary"][0]["changed"], d["summary"][0]["worse"]')" = "(1, 0)" ]
  run_apart "$wsbench" history show --db h.jsonl
  [[ $stdout == *"+100.00 %  changed"* ]]
}

# events LONG: the document doc.json of a run named like it, in which each boot has LONG of 100
# events of 250 instead of 100.
events() {
  document doc.json "long-$1" "long-$1" null=100
  python3 - "$1" <<'END'
import json, sys
n = int(sys.argv[1])
with open("doc.json") as f:
    d = json.load(f)
for boot in d["benchmarks"][0]["metrics"][0]["boots"]:
    boot.update(events=100, valid=True, reject_reason=None)
    boot["summary"].update(n=100, min=100, p1=None, p5=100, p25=100, p50=100, p75=250 if n > 25 else 100, p90=250 if n >= 10 else 100,
                           p95=None, p99=None, p99_9=None, max=250 if n else 100, mean=100 + 1.5 * n, sd=0, mad=0)
    boot["histogram"] = {"bits": 7, "bins": [[100, 100 - n]] + ([[248, n]] if n else [])}
with open("doc.json", "w") as f:
    json.dump(d, f)
END
}

@test "history check: a mode of the events that the figure does not tell" {
  for long in 0 3 30; do
    events "$long"
    "$wsbench" history add --quiet --db h.jsonl doc.json
  done
  cat h.jsonl
  # Equal events have a mean alone; a quantile that equals the figure is omitted.
  [[ $(sed -n 1p h.jsonl) == *'"mean":100}' ]]
  [[ $(sed -n 1p h.jsonl) != *'"p'[0-9]* ]]
  [[ $(sed -n 3p h.jsonl) == *',"p75":250,"p90":250,"mean":'* ]]
  run_apart "$wsbench" history check --db h.jsonl
  echo "$stdout"
  [ "$status" = 0 ]
  [[ $stdout == *"long-30"*", after long-3"*": 0 worse, 0 better, 1 changed their distribution"* ]]
  [[ $stdout == *"+0.0 %  distribution changed: p75 100 -> 250, p90 100 -> 250, figure 100 -> 100"* ]]
  [[ $stdout == *"1 series: 0 became worse, 0 better; 1 changed their distribution"* ]]
  run_apart "$wsbench" history check --db h.jsonl --fail-on changed
  [ "$status" = 0 ]
  run_apart "$wsbench" history check --db h.jsonl --fail-on distribution
  [ "$status" = 1 ]
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$(json '[(c["verdict"], c["class"], c["distribution"], c["p90_before"], c["p90_after"]) for c in d["changes"]]')" = \
    "[('changed', None, 'p75 100 -> 250, p90 100 -> 250, figure 100 -> 100', 100, 250)]" ]
  [ "$(json 'd["summary"][0]["changed"], d["summary"][0]["distribution_changed"]')" = "(0, 1)" ]
  run_apart "$wsbench" history show --db h.jsonl --json
  [ "$(json '[p["p90"] for p in d["points"]]')" = "[100, 100, 250]" ]
  run_apart "$wsbench" history why --db h.jsonl
  [[ $stdout == *"p90 100 -> 250"* ]]
}

@test "history check: a history without quantiles goes on with them" {
  series v 100 100
  sed -i 's/,"p5":.*}/}/; s/,"mean":.*}/}/' h.jsonl
  [[ $(cat h.jsonl) != *mean* ]]
  events 30
  "$wsbench" history add --quiet --db h.jsonl doc.json
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *"1 series: 0 became worse, 0 better"* ]]
  [[ $stdout != *distribution* ]]
}

@test "history check: a threshold lets regressions pass, and the summary counts them" {
  series v 1000 1005 1100
  run_apart "$wsbench" history check --db h.jsonl --threshold 1%
  echo "$stdout"
  [ "$status" = 1 ]
  [[ $stdout == *"1,000  1,005  +0.5 %  worse, within threshold"* ]]
  [[ $stdout == *"1 series: 1 became worse, 0 better"* ]]
  [[ $stdout == *"1 worse within --threshold: null +5 insns (+0.5 %)"* ]]
  run_apart "$wsbench" history check --db h.jsonl --threshold 1% --threshold 'nul*=95insns'
  [ "$status" = 0 ]
  [[ $stdout == *"0 became worse"*"2 worse within --threshold: null +5 insns"*", null +95 insns"* ]]
  run_apart "$wsbench" history check --db h.jsonl --threshold 'nul*=94insns' --threshold 50% --json
  [ "$status" = 1 ]
  [ "$(json '[c["let_pass"] for c in d["changes"]], d["summary"][0]["worse_let_pass"]')" = \
    "(['nul*=94insns', None], 1)" ]
  # A change that a threshold covers is not measured again.
  run_apart "$wsbench" history check --db h.jsonl --threshold 50% --confirm
  [ "$status" = 0 ]
  [[ $stderr != *again* ]]
}

@test "history check: one run has no verdict" {
  series v 100
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 3 ]
  [[ $stdout == *"1 too short to judge"* ]]
}

@test "exact figures: two machines are one series, two emulators are two" {
  export TARGET=lab:x86_64-svm
  MACHINE=1 series a 100 100
  MACHINE=2 EMULATOR='QEMU emulator version 7.2.23 (other)' series b 101
  EMULATOR='QEMU emulator version 8.0.0' series c 200 200
  run_apart "$wsbench" history show --db h.jsonl --json
  [ "$(json '[s["place"] for s in d["series"]]')" = "['QEMU emulator version 7.2', 'QEMU emulator version 8.0']" ]
  run_apart "$wsbench" history check --db h.jsonl
  [[ $stdout == *"b1 (6.1.0-56-cloud-amd64), after a2"* ]]
  # The message names the other possible cause.
  [[ $stdout == *"(measured on QEMU emulator version 7.2.23 (other), before on QEMU emulator version 7.2.22 (Debian))"* ]]
}

@test "a lab that changed its emulator begins a series, and is not a step" {
  export TARGET=lab:x86_64-svm
  series a 3067 3067
  EMULATOR='bochs 3.0+dfsg worldswitch 0123456789ab' series b 1424 1424
  run_apart "$wsbench" history show --db h.jsonl --json
  [ "$(json '[s["place"] for s in d["series"]]')" = "['QEMU emulator version 7.2', 'bochs 3.0']" ]
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *"2 series: 0 became worse"* ]]
}

@test "noisy figures: one series per machine, judged statistically" {
  export TARGET=kvm EXACT=0
  local noise=(1000 1004 996 1001 998 1003 999 1002 997 1000 1004 996 1001 998)
  MACHINE=1 series a "${noise[@]}"
  MACHINE=2 series b 2000 2004 1996 2001
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *"2 series: 0 became worse"* ]]
  # The newest run alone is an outlier or a change: no verdict.
  MACHINE=1 series c 1100
  run_apart "$wsbench" history check --db h.jsonl --last 1
  [ "$status" = 3 ]
  [[ $stdout == *"kvm, machine 1"*"c1 (6.1.0-56-cloud-amd64), after a14"*"worse?"*"of the newest run alone"* ]]
  [[ $stdout == *"1 moved in the newest run alone"* ]]
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$(json '[c["single"] for c in d["changes"]], d["summary"][0]["worse"], d["summary"][0]["newest_run_alone"]')" = "([True], 0, 1)" ]
  # The second run decides: a gate over the newest run sees the change now.
  MACHINE=1 series cc 1103
  run_apart "$wsbench" history check --db h.jsonl --last 1
  [ "$status" = 1 ]
  [[ $stdout == *"c1 (6.1.0-56-cloud-amd64), after a14 (6.1.0-56-cloud-amd64): 1 worse"* ]]
  # The prediction interval of four figures is wide.
  MACHINE=2 series d 2200
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$(json '[c["new_label"] for c in d["changes"]]')" = "['c1', 'd1']" ]
}

@test "noisy figures: an outlier is set aside, and does not hide a step" {
  export TARGET=kvm EXACT=0
  series a 1000 1004 996 1001 1300 1003 999 1002 997 1000 1004 996
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *"1 series: 0 became worse, 0 better; 1 outlier set aside"* ]]
  series b 1021 1019 1024 1020 1018
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 1 ]
  [[ $stdout == *"b1 (6.1.0-56-cloud-amd64), after a12 (6.1.0-56-cloud-amd64): 1 worse"* ]]
  run_apart "$wsbench" history show --db h.jsonl
  [[ $stdout == *"1 outlier set aside"* ]]
  run_apart "$wsbench" history show --db h.jsonl --json
  [ "$(json '[i for i, p in enumerate(d["points"]) if p["outlier"]]')" = "[4]" ]
}

@test "noisy figures: a change must exceed two steps of the clock" {
  export TARGET=kvm EXACT=0 RESOLUTION=20
  series a 500 500 500 500 500 500 500 500 500 500 500 500 500 500 530 530 530 530 530 530 530
  run_apart "$wsbench" history check --db h.jsonl --otava-exact
  [ "$status" = 1 ]
  # The clock shows that the figure moved, and not by how much.
  run_apart "$wsbench" history check --db h.jsonl
  echo "$stdout"
  [ "$status" = 3 ]
  [[ $stdout == *"1 series: 0 became worse, 0 better"* ]]
  [[ $stdout == *"1 moved within 2 steps of the clock, which does not show by how much: null 500 -> 530 insns from a15 (6.1.0-56-cloud-amd64); a history of round_trip_batch (history add --metric round_trip_batch) resolves more"* ]]
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$status" = 3 ]
  [ "$(json '[(c["benchmark"], c["worse"], c["before"], c["after"], c["step"], c["index"]) for c in d["within_clock_steps"]], d["changes"], d["summary"][0]["within_clock_steps"]')" = \
    "([('null', True, 500, 530, 20, 14)], [], 1)" ]
  # A gate reports it once.
  run_apart "$wsbench" history check --db h.jsonl --last 1
  [ "$status" = 0 ]
  [[ $stdout != *"steps of the clock"* ]]
  run_apart "$wsbench" history check --db h.jsonl --threshold 40insns
  [ "$status" = 0 ]
}

@test "history show: levels, and JSON with all points" {
  series v 100 100 102 101 101
  run_apart "$wsbench" history show --db h.jsonl --bench null
  [ "$status" = 0 ]
  [[ $stdout == *"bare:x86_64, QEMU emulator version 7.2: null, in insns"* ]]
  [[ $stdout =~ v1\ \(6.1.0-56-cloud-amd64\)\ +v2\ \(6.1.0-56-cloud-amd64\)\ +2\ +100 ]]
  [[ $stdout =~ 102\ +\+2.00\ %\ +worse ]]
  run_apart "$wsbench" history show --db h.jsonl --json
  [ "$(json '[p["value"] for p in d["points"]], [(s["start"], s["end"]) for s in d["stretches"]]')" = \
    "([100, 100, 102, 101, 101], [(0, 2), (2, 3), (3, 5)])" ]
  refused 2 "no such series" "$wsbench" history show --db h.jsonl --bench xyzzy
  refused 2 "no such series: no benchmark matches 'nul': did you mean 'null'?" "$wsbench" history show --db h.jsonl --bench nul
}

@test "history check: a figure that the newest run lacks is reported" {
  document one.json r1 one null=1 rdtsc=2
  document two.json r2 two null=1
  "$wsbench" history add --db h.jsonl one.json two.json
  run_apart "$wsbench" history check --db h.jsonl
  [[ $stderr == *"the newest run has no figure of rdtsc"* ]]
}

@test "history check: many figures that the newest run lacks are one line, a changed unit says so" {
  document one.json r1 one null=1 rdtsc=2 rdtscp=3 cpuid=4 hypercall=5 xsetbv=6
  document two.json r2 two null=1
  "$wsbench" history add --db h.jsonl one.json two.json
  run_apart "$wsbench" history check --db h.jsonl
  [ "$(grep -c 'the newest run has no figure' <<<"$stderr")" = 1 ]
  [[ $stderr == *"no figure of rdtsc, rdtscp, cpuid, hypercall and 1 more" ]]
  KERNEL=6.12.117 document three.json r3 three null=1
  sed -i 's/"insns"/"ticks"/g' three.json
  "$wsbench" history add --db unit.jsonl two.json three.json
  run_apart "$wsbench" history check --db unit.jsonl
  [[ $stderr == *"no figure of null in insns" ]]
  refused 2 "h.jsonl has no such series: no metric matches 'hue'" \
    "$wsbench" history check --db h.jsonl --metric hue
}

@test "history check --confirm: fresh boots confirm a real change and refute a false one" {
  need_target bare:x86_64
  "$wsbench" run --quiet --on bare:x86_64 --bench rdtsc,rdtscp -o now.json
  now=$(doc now.json 'value("rdtsc"), value("rdtscp")')
  # Tool, label and run differ, the emulator does not.
  EMULATOR=$(doc now.json 'd["target"]["emulator"]')
  export EMULATOR
  python3 - <<'END'
import json
d = json.load(open("now.json"))
def put(run, **values):
    d["run"]["id"] = d["subject"]["label"] = run
    for b in d["benchmarks"]:
        m = next(m for m in b["metrics"] if m["name"] == "round_trip")
        v = values[b["name"]]
        m["estimate"].update(value=v, ci={"level": 1, "lo": v, "hi": v, "method": "exact"})
    json.dump(d, open(run + ".json", "w"))
m = {b["name"]: next(m for m in b["metrics"] if m["name"] == "round_trip")["estimate"]["value"] for b in d["benchmarks"]}
put("a", rdtsc=m["rdtsc"], rdtscp=m["rdtscp"] - 0.5)
put("b", rdtsc=m["rdtsc"] + 5, rdtscp=m["rdtscp"])
END
  "$wsbench" history add --quiet --db h.jsonl a.json b.json
  run_apart "$wsbench" history check --db h.jsonl --bench rdtsc --confirm --boots 2
  echo "$stdout"
  [ "$status" = 3 ]
  [[ $stdout == *"worse, not confirmed: "*"in 2 fresh boots"* ]]
  run_apart "$wsbench" history check --db h.jsonl --confirm --boots 2
  [ "$status" = 1 ]
  [[ $stdout == *"worse, confirmed: "*"in 2 fresh boots"* ]]
  # Figures of another emulator confirm nothing.
  sed -i -E 's/"emulator": "[^"]*"/"emulator": "QEMU emulator version 99.1"/' a.json b.json
  "$wsbench" history add --quiet --db other.jsonl a.json b.json
  run_apart "$wsbench" history check --db other.jsonl --confirm
  echo "$stdout"
  [ "$status" = 3 ]
  [[ $stdout == *"worse, could not be confirmed:"*"measured on another emulator (--emulator)"* ]]
}

@test "history check --confirm: a missing kernel confirms nothing" {
  export TARGET=lab:x86_64-svm WORLDSWITCH_CACHE=$PWD/nowhere
  series v 100 101
  run_apart "$wsbench" history check --db h.jsonl --confirm
  [ "$status" = 3 ]
  [[ $stdout == *"worse, could not be confirmed: its kernel is not here"* ]]
  [[ $stderr != *error* ]]
  # The reason: of the kernel, or of the emulator of this cache.
  [[ $stderr == *$'
'"wsbench: lab:x86_64-svm: "*" is not "*" (wsbench kernel fetch "* ||
    $stderr == *$'
'"wsbench: lab:x86_64-svm: "*" is not "*"emulator.sh build"* ]]
}

@test "history check --confirm: the kernel of a row is never a path" {
  need_target lab:aarch64-vhe
  # An image that would boot, by a path, by a file here, and by a way out of the cache.
  local cache kernel
  cache=$(cache_dir)/kernels/aarch64
  mkdir evil
  cp "$(readlink -f "$cache/default")/vmlinuz" evil/vmlinuz
  cp evil/vmlinuz 6.1.0-here
  export TARGET=lab:aarch64-vhe
  for kernel in "$PWD/evil/vmlinuz" 6.1.0-here "../../../../../../../../../../..$PWD/evil"; do
    rm -f h.jsonl
    KERNEL=$kernel series v 100 101
    run_apart "$wsbench" history check --db h.jsonl --confirm
    echo "$kernel: $stdout $stderr"
    [ "$status" = 3 ]
    [[ $stdout == *"worse, could not be confirmed: its kernel is not here"* ]]
  done
}

@test "bad usage of history" {
  refused 2 "no command: add, check, show or why" "$wsbench" history
  refused 2 "did you mean 'check'?" "$wsbench" history chekc
  refused 2 "give --db FILE.jsonl" "$wsbench" history check
  refused 2 "no documents" "$wsbench" history add --db h.jsonl
  refused 2 "unexpected argument 'x.json'" "$wsbench" history check --db h.jsonl x.json
  refused 2 "is not a number from 0 to 1" "$wsbench" history check --db h.jsonl --pvalue 2
  refused 2 "out of range" "$wsbench" history check --db h.jsonl --window 1
  refused 2 "--threshold 5: a number without a unit" "$wsbench" history check --db h.jsonl --threshold 5
  refused 2 "--fail-on worse: not a verdict" "$wsbench" history check --db h.jsonl --fail-on worse
  refused 2 "--fail-on worse?: only of documents (wsbench compare)" "$wsbench" history check --db h.jsonl --fail-on 'worse?'
  nothing_left
}

@test "an option that the command would ignore is refused" {
  local history=("$wsbench" history) command option
  document good.json r1 one null=1
  "${history[@]}" add --quiet --db h.jsonl good.json
  for command in add show why; do
    for option in --confirm '--kernel X' '--modules X' '--boots 9' '--fail-on changed' '--fail-on distribution'; do
      # shellcheck disable=SC2086  # an option and its value
      refused 2 "${option%% *}: only for 'history check'" "${history[@]}" $command --db h.jsonl $option
    done
  done
  for command in add show; do
    for option in '--threshold 1%' '--last 1' --all; do
      # shellcheck disable=SC2086
      refused 2 "${option%% *}: only for 'history check' and 'history why'" "${history[@]}" $command --db h.jsonl $option
    done
  done
  refused 2 "--json: only for 'history check' and 'history show'" "${history[@]}" add --db h.jsonl --json good.json
  # A mistyped benchmark is reported by each command that uses thresholds.
  for command in check why; do
    refused 2 "--threshold nul=1%: no benchmark matches 'nul'" "${history[@]}" $command --db h.jsonl --threshold nul=1%
  done
  run_apart "${history[@]}" why --db h.jsonl --threshold null=1% --last 1 --all
  [ "$status" = 0 ]
  nothing_left good.json h.jsonl
}
