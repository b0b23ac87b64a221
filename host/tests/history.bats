#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench history`: adding, changes and their runs, bad input.
bats_require_minimum_version 1.5.0
load helper

# document FILE RUN LABEL BENCH=VALUE...: writes a result document of an exact target;
# TARGET, KERNEL, MACHINE, EMULATOR, EXACT, RESOLUTION and HANDLED_BY override the defaults. VALUE
# may be a range over boots, LO..HI.
document() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import copy, json, os, sys
base, path, run, label, *figures = sys.argv[1:]
with open(base) as f:
    d = json.load(f)
d["run"].update(id=run, started="2026-11-21T09:00:00Z", partial=False)
d["subject"] = {"kernel": os.environ.get("KERNEL", "6.1.0-56-cloud-amd64"), "label": label, "commit": None}
d["target"].update(name=os.environ.get("TARGET", "bare:x86_64"),
                   emulator=os.environ.get("EMULATOR", "QEMU emulator version 7.2.22 (Debian)"),
                   exact=os.environ.get("EXACT", "1") == "1")
d["machine"]["fingerprint"] = os.environ.get("MACHINE", "0123456789abcdef")
d["clock"]["resolution"] = int(os.environ.get("RESOLUTION", "1"))
benchmark = copy.deepcopy(next(b for b in d["benchmarks"] if b["metrics"]))
metric = copy.deepcopy(benchmark["metrics"][0])
d["benchmarks"] = []
for figure in figures:
    name, value = figure.split("=")
    lo, hi = map(float, value.split("..") if ".." in value else (value, value))
    m = copy.deepcopy(metric)
    m.update(name="round_trip", unit="insns")
    m["estimate"].update(value=(lo + hi) / 2, ci={"level": 1, "lo": lo, "hi": hi, "method": "exact"})
    b = copy.deepcopy(benchmark)
    b.update(name=name, config="default", status="ok", reason=None, metrics=[m],
             handled_by=os.environ.get("HANDLED_BY", "kernel"))
    b["exits"]["faults"] = 0
    d["benchmarks"].append(b)
with open(path, "w") as f:
    json.dump(d, f)
END
}

# series LABEL_PREFIX VALUE...: adds a run of the benchmark `null` to h.jsonl for each value.
series() {
  local prefix=$1 n=0 value files=()
  shift
  for value; do
    n=$((n + 1))
    document "doc-$prefix$n.json" "$prefix$n" "$prefix$n" "null=$value"
    files+=("doc-$prefix$n.json")
  done
  "$wsbench" history add --quiet --db h.jsonl "${files[@]}"
  rm "${files[@]}"
}

json() {
  python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval("(" + sys.argv[1] + ")"))' "$1" <<<"$stdout"
}

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
  [[ $stdout == *"+0.00 %  distribution changed: p75 100 -> 250, p90 100 -> 250, figure 100 -> 100"* ]]
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

@test "history add: a run is added once" {
  document one.json r1 one null=1 rdtsc=2
  run_apart "$wsbench" history add --db h.jsonl one.json
  [ "$status" = 0 ]
  [[ $stderr == *"added 2 figures"* ]]
  cp h.jsonl before
  run_apart "$wsbench" history add --db h.jsonl one.json one.json
  [ "$status" = 0 ]
  [[ $stderr == *"nothing was added"* ]]
  cmp h.jsonl before
  # Also if one command names it twice.
  run_apart "$wsbench" history add --db h2.jsonl one.json one.json
  cmp h2.jsonl before
}

@test "history add: adding a run again restores lost figures at their place" {
  document one.json r1 one null=1 rdtsc=2
  document two.json r2 two null=1 rdtsc=3
  "$wsbench" history add --db h.jsonl one.json two.json
  sed -i 2d h.jsonl
  run_apart "$wsbench" history add --db h.jsonl one.json
  [[ $stderr == *"1 figures were not added: h.jsonl has them already"* ]]
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$status" = 1 ]
  [ "$(json '[(c["benchmark"], c["before"], c["after"]) for c in d["changes"]]')" = "[('rdtsc', 2, 3)]" ]
}

@test "two joined histories: duplicate figures count once" {
  series v 100 100 101
  cat h.jsonl h.jsonl >twice.jsonl
  run_apart "$wsbench" history check --db twice.jsonl
  [ "$status" = 1 ]
  [[ $stderr == *"twice.jsonl has 3 figures twice"* ]]
  [[ $stdout == *"1 became worse"* ]]
}

@test "a torn last line is moved, and complete lines stay" {
  series v 100 100
  cp h.jsonl whole
  head -c 50 h.jsonl >>h.jsonl.part
  cat h.jsonl.part >>h.jsonl && rm h.jsonl.part
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stderr == *"h.jsonl: the last line is torn"*"50 bytes"* ]]
  document three.json v3 v3 null=100
  run_apart "$wsbench" history add --db h.jsonl three.json
  [ "$status" = 0 ]
  [[ $stderr == *"50 bytes, moved to h.jsonl.torn"* ]]
  cmp -n "$(stat -c %s whole)" h.jsonl whole
  [ "$(wc -l <h.jsonl)" = 3 ]
  [ "$(wc -c <h.jsonl.torn)" = 51 ]
}

@test "history add: concurrent writers lose no line" {
  local i pids=()
  for i in 1 2 3 4 5 6 7 8; do
    document "$i.json" "r$i" "r$i" null=1 rdtsc=2
  done
  for i in 1 2 3 4 5 6 7 8; do
    "$wsbench" history add --quiet --db h.jsonl "$i.json" &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  [ "$(wc -l <h.jsonl)" = 16 ]
  "$wsbench" history check --quiet --db h.jsonl
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

@test "history add does not follow a symbolic link to FILE.torn" {
  series v 100 101
  echo precious >file
  ln -s file h.jsonl.torn
  printf torn >>h.jsonl
  cp h.jsonl before
  document doc.json r3 v3 null=102
  refused 2 "cannot write h.jsonl.torn: it is a symbolic link (remove it)" \
    "$wsbench" history add --db h.jsonl doc.json
  cmp h.jsonl before
  [ "$(cat file)" = precious ]
  # Nor does it wait for a reader of a pipe.
  rm h.jsonl.torn
  mkfifo h.jsonl.torn
  refused 2 "cannot write h.jsonl.torn: it is not a regular file (remove it)" \
    "$wsbench" history add --db h.jsonl doc.json
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

@test "files that are not histories or documents" {
  document good.json r1 one null=1
  refused 2 "No such file" "$wsbench" history check --db none.jsonl
  refused 2 "not a regular file" "$wsbench" history check --db .
  : >empty.jsonl
  refused 2 "has no figures" "$wsbench" history check --db empty.jsonl
  echo text >text.jsonl
  refused 2 "text.jsonl: line 1: " "$wsbench" history check --db text.jsonl
  refused 2 "text.jsonl: line 1: " "$wsbench" history add --db text.jsonl good.json
  [ "$(cat text.jsonl)" = text ]
  refused 2 "(not a history? 'wsbench history add --db FILE.jsonl FILE.json' makes one)" "$wsbench" history check --db text.jsonl
  "$wsbench" history add --quiet --db good.jsonl good.json
  cat good.jsonl good.jsonl >twice.jsonl
  refused 2 "(a history: 'wsbench history show" "$wsbench" show twice.jsonl
  refused 2 '/schema: expected "worldswitch.explanation" (the file is a result document)' "$wsbench" explain good.json
  refused 2 "--threshold nul=1%: no benchmark matches 'nul'" "$wsbench" history check --db good.jsonl --threshold nul=1%
  rm good.jsonl
  refused 2 "good.json: not a history file" "$wsbench" history add --db good.json good.json
  head -c 100000 /dev/urandom >random.jsonl
  refused 2 "random.jsonl" "$wsbench" history show --db random.jsonl
  echo '{"schema":"worldswitch.history","version":2}' >newer.jsonl
  refused 2 "version 2 is newer" "$wsbench" history check --db newer.jsonl
  # With one bad document, none is added.
  refused 2 "cannot read none.json" "$wsbench" history add --db h.jsonl good.json none.json
  refused 2 "text.jsonl: " "$wsbench" history add --db h.jsonl good.json text.jsonl
  refused 2 "nowhere/h.jsonl" "$wsbench" history add --db nowhere/h.jsonl good.json
  [ ! -e h.jsonl ]
  refused 2 "no figure of xyzzy" "$wsbench" history add --db h.jsonl --metric xyzzy good.json
}

@test "history add: a full disk adds nothing and loses nothing" {
  need_own_mounts
  document small.json r1 one null=1
  # shellcheck disable=SC2046  # words
  document big.json r2 two $(printf 'b%d=1 ' {1..100})
  run_apart "${own_mounts[@]}" '
    mkdir disk && mount -t tmpfs -o size=16k none disk
    "$1" history add --db disk/h.jsonl small.json
    cp disk/h.jsonl before
    code=0
    "$1" history add --db disk/h.jsonl big.json || code=$?
    cmp disk/h.jsonl before
    echo code $code' sh "$wsbench"
  [ "$status" = 0 ]
  [ "$stdout" = "code 4" ]
  [[ $stderr == *"cannot write disk/h.jsonl: No space left on device"* ]]
}

# svm_document FILE RUN KERNEL VALUE: a document of lab:x86_64-svm with two rows.
svm_document() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import copy, json, sys
base, path, run, kernel, value = sys.argv[1:]
d = json.load(open(base))
d["target"].update(name="lab:x86_64-svm", kind="lab", exact=True, emulator="bochs 3.0")
d["subject"].update(kernel=kernel, commit=None, label=None)
d["run"].update(id=run, partial=False)
b = next(b for b in d["benchmarks"] if b["metrics"])
m = b["metrics"][0]
m.update(name="round_trip", unit="insns", boots=m["boots"][:1])
m["estimate"].update(value=float(value), ci={"level": 1, "lo": float(value), "hi": float(value), "method": "exact"})
m["boots"][0].update(valid=True, reject_reason=None)
m["boots"][0]["summary"] = dict.fromkeys(m["boots"][0]["summary"], float(value)) | {"n": 1}
b.update(name="hypercall", config="default", status="ok", reason=None, metrics=[m])
other = copy.deepcopy(b)
other["name"] = "cpuid"
d["benchmarks"] = [b, other]
json.dump(d, open(path, "w"))
END
}

@test "history why: the functions behind a step, by explanations that are kept" {
  local data=$tests/data/explain history=("$wsbench" history)
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1428
  svm_document c.json run-c 9.9.9-cloud-amd64 1500
  run_apart "${history[@]}" add --db h.jsonl a.json b.json c.json --explanation "$data/svm-hypercall-6.1.json" \
    --explanation "$data/svm-hypercall-7.3.json"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  # The kernels, the documents and the explanations may go.
  rm a.json b.json c.json
  run_apart "${history[@]}" why --db h.jsonl
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == *'7.3.4+deb13-cloud-amd64, after 6.1.0-56-cloud-amd64: 0 worse, 2 better'*'explained: hypercall'* ]]
  grep -qE '^kvm_lapic_update_cr8_intercept +\+102 +1 of 1 .*new, called by kvm_set_cr8' <<<"$stdout"
  [[ $stdout == *'9.9.9-cloud-amd64, after 7.3.4+deb13-cloud-amd64'*'not explained: no explanations of both runs'* ]]
  # Only steps after a run, named by id or kernel.
  for since in run-b 7.3.4+deb13-cloud-amd64; do
    run_apart "${history[@]}" why --db h.jsonl --since "$since"
    [ "$status" = 0 ]
    [[ $stdout == *9.9.9* ]]
    [[ $stdout != *'after 6.1.0-56'* ]]
  done
  # Runs of commits; the explanations were made without --commit, or with one.
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1428
  python3 - a.json a.json aaa b.json b.json bbb "$data/svm-hypercall-7.3.json" new.json bbb <<'END'
import json, sys
for path, to, commit in zip(*[iter(sys.argv[1:])] * 3):
    d = json.load(open(path))
    d["subject"]["commit"] = commit
    json.dump(d, open(to, "w"))
END
  "${history[@]}" add --db commits.jsonl a.json b.json --explanation "$data/svm-hypercall-6.1.json" --explanation new.json
  run_apart "${history[@]}" why --db commits.jsonl
  echo "$stdout$stderr"
  [[ $stdout == *'explained: hypercall'* ]]
  refused 2 "no run 'run-z'" "${history[@]}" why --db h.jsonl --since run-z
  refused 2 '--since: only' "${history[@]}" check --db h.jsonl --since run-a
  refused 2 '--json: ' "${history[@]}" why --db h.jsonl --json
  refused 2 '--explanation: only' "${history[@]}" show --db h.jsonl --explanation x.json
  refused 2 'no command' "${history[@]}" whx --db h.jsonl
}

@test "history why ignores an explanation of another figure, and names a damaged one" {
  local data=$tests/data/explain history=("$wsbench" history)
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1429
  "${history[@]}" add --quiet --db h.jsonl a.json b.json
  "${history[@]}" add --quiet --db h.jsonl --explanation "$data/svm-hypercall-6.1.json" --explanation "$data/svm-hypercall-7.3.json"
  run_apart "${history[@]}" why --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *'not explained'*'1 kept explanations are of other figures'* ]]
  echo damaged >h.jsonl.explanations/lab-x86_64-svm/7.3.4+deb13-cloud-amd64/hypercall.default.json.gz
  run_apart "${history[@]}" why --db h.jsonl
  [ "$status" = 4 ]
  [[ $stderr == *hypercall.default.json.gz* ]]
  refused 2 'worldswitch.explanation' "${history[@]}" add --db h.jsonl --explanation a.json
}

# Steps of Debian's kernels whose commit is known. data/steps.jsonl was made by
# `scripts/sweep.sh --why`; its changelog is an excerpt.
@test "history why finds the commits of known steps by their titles" {
  cp -r "$tests"/data/steps.jsonl* .
  run_apart "$wsbench" history why --db steps.jsonl
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  while IFS='|' read -r after strength title; do
    awk -v after="after $after" 'index($0, after) { on = 1; print; next } /, after / { on = 0 } on' <<<"$stdout" >of_step
    grep -qE "^    $strength +[0-9.]+ .*$title" of_step || { echo "not found: $title" && return 1; }
  done <"$tests/data/steps.expected"
}

@test "history why --tree: the commits that changed the functions" {
  local git=(git -C tree -c user.name=a -c user.email=a@example.org -c commit.gpgsign=false)
  cp -r "$tests"/data/steps.jsonl* .
  mkdir -p tree/arch/x86/kvm && "${git[@]}" init -q
  cat >tree/arch/x86/kvm/lapic.c <<'C'
/* kvm_lapic_update_cr8_intercept(vcpu) is only mentioned here. */
static void kvm_lapic_update_cr8_intercept(struct kvm_vcpu *vcpu);

static void apic_update_ppr(struct kvm_lapic *apic)
{
	first(apic);
}

static void kvm_lapic_update_cr8_intercept(struct kvm_vcpu *vcpu)
{
	second(vcpu);
}
C
  # Another architecture has a function of this name, and so have the tools.
  mkdir -p tree/arch/alpha tree/tools
  tee tree/arch/alpha/a.c tree/tools/t.c >/dev/null <<'C'
void kvm_lapic_update_cr8_intercept(void)
{
	third(1);
}
C
  "${git[@]}" add . && "${git[@]}" commit -qm "KVM: before" && "${git[@]}" tag v6.12.113
  sed -i 's/third(1)/third(2)/' tree/arch/alpha/a.c tree/tools/t.c && "${git[@]}" commit -qam "alpha: unrelated"
  sed -i 's/second(vcpu)/second(vcpu, 1)/' tree/arch/x86/kvm/lapic.c && "${git[@]}" commit -qam "KVM: x86: the cause"
  sed -i 's/first(apic)/first(apic, 1)/' tree/arch/x86/kvm/lapic.c && "${git[@]}" commit -qam "KVM: x86: one of two"
  sed -i 's/first(apic, 1)/first(apic, 2)/' tree/arch/x86/kvm/lapic.c && "${git[@]}" commit -qam "KVM: x86: two of two"
  "${git[@]}" commit -q --allow-empty -m "KVM: unrelated" && "${git[@]}" tag v6.12.115
  run_apart "$wsbench" history why --db steps.jsonl --on lab:x86_64-svm --since 6.12.113+deb12-cloud-amd64 --tree tree
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -qE '^    certain +[0-9a-f]+  KVM: x86: the cause$' <<<"$stdout"
  grep -qE '^    likely +[0-9a-f]+  KVM: x86: one of two$' <<<"$stdout"
  grep -qE '^    likely +[0-9a-f]+  KVM: x86: two of two$' <<<"$stdout"
  [[ $stdout != *unrelated* ]]
  [[ $stdout == *'of 7 functions, the 7 largest changes were searched; 5 are not in the tree'* ]]
  # A tree without the commits, and what is not a tree.
  "${git[@]}" tag -d v6.12.115 >/dev/null
  run_apart "$wsbench" history why --db steps.jsonl --on lab:x86_64-svm --since 6.12.113+deb12-cloud-amd64 --tree tree
  [ "$status" = 4 ]
  [[ $stderr == *'tree: no commit v6.12.115'* ]]
  mkdir empty
  run_apart "$wsbench" history why --db steps.jsonl --on lab:x86_64-svm --since 6.12.113+deb12-cloud-amd64 --tree empty
  [ "$status" = 4 ]
  [[ $stderr == *'empty: not a git tree'* ]]
}

@test "history why --missing: the explanations that steps lack" {
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1428
  "$wsbench" history add --quiet --db h.jsonl a.json b.json --explanation "$tests/data/explain/svm-hypercall-6.1.json"
  run_apart "$wsbench" history why --db h.jsonl --missing
  [ "$status" = 0 ]
  grep -qxF 'lab:x86_64-svm 7.3.4+deb13-cloud-amd64 hypercall default' <<<"$stdout"
  [[ $stdout != *'6.1.0-56-cloud-amd64 hypercall'* ]]
  "$wsbench" history add --quiet --db h.jsonl --explanation "$tests/data/explain/svm-hypercall-7.3.json"
  run_apart "$wsbench" history why --db h.jsonl --missing
  [ "$status" = 0 ]
  [[ $stdout != *hypercall* ]]
  # What no run of explain could add is not asked for: a row that depends on where it waits, one
  # with two vCPUs, several vCPUs, a lab with two CPUs, and a benchmark of another version.
  for change in name=timer_overshoot_posix name=ipi_busy config=default@vcpus=2 target=lab:x86_64-svm-smp name=gone \
    name=cpuid; do
    rm -rf h.jsonl*
    for doc in a b; do
      python3 - $doc.json $change <<'END' >$doc$doc.json
import json, sys
path, change = sys.argv[1:]
d = json.load(open(path))
what, value = change.split("=", 1)
d["benchmarks"] = d["benchmarks"][:1]
(d["target"] if what == "target" else d["benchmarks"][0])["name" if what == "target" else what] = value
print(json.dumps(d))
END
    done
    "$wsbench" history add --quiet --db h.jsonl aa.json bb.json
    run_apart "$wsbench" history why --db h.jsonl --missing
    echo "$change: $stdout$stderr"
    [ "$status" = 0 ]
    [ -z "$stdout" ] || [ $change = name=cpuid ]
  done
  [ "$(wc -l <<<"$stdout")" = 2 ]
  refused 2 "--missing: only for 'history why'" "$wsbench" history check --db h.jsonl --missing
  refused 2 "not a changelog" "$wsbench" history add --db h.jsonl --changelog a.json
}

@test "history: a compressed file is read, and not added to" {
  "$wsbench" history check --db "$tests/../../results/kernels.jsonl" >plain || true
  gzip -c "$tests/../../results/kernels.jsonl" >h.jsonl.gz
  "$wsbench" history check --db h.jsonl.gz >packed || true
  [ -s plain ]
  cmp plain packed
  document 1.json one 1 hypercall=10
  cp h.jsonl.gz before
  refused 2 'a compressed history is only read' "$wsbench" history add --db h.jsonl.gz 1.json
  cmp h.jsonl.gz before
  head -c 1000 h.jsonl.gz >cut.gz
  refused 2 'cut.gz: not gzip' "$wsbench" history check --db cut.gz
}

@test "a run id with two figures is an error, unless --duplicates says which counts" {
  document one.json r1 a null=100
  document other.json r1 a null=120
  document next.json r2 b null=120
  "$wsbench" history add --quiet --db h.jsonl one.json next.json
  cp h.jsonl before
  run_apart "$wsbench" history add --db h.jsonl other.json
  [ "$status" = 2 ]
  [[ $stderr == *"another figure of run r1, null [default] round_trip: 100, now 120 (--duplicates first or last"* ]]
  cmp h.jsonl before
  "$wsbench" history add --quiet --db h.jsonl --duplicates first other.json
  cmp h.jsonl before
  # The file keeps both values: the command says what that means for later ones.
  run_apart "$wsbench" history add --quiet --db h.jsonl --duplicates last other.json
  [ "$status" = 0 ]
  [[ $stderr == *"h.jsonl now has two values of 1 figure: check, show and why need --duplicates last"* ]]
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 2 ]
  [[ $stderr == *"run r1 has two figures of null [default] round_trip: 100 and 120 (--duplicates"* ]]
  run_apart "$wsbench" history check --db h.jsonl --duplicates first
  [ "$status" = 1 ]
  run_apart "$wsbench" history check --db h.jsonl --duplicates last
  [ "$status" = 0 ]
  run_apart "$wsbench" history check --db h.jsonl --duplicates middle
  [ "$status" = 2 ]
}

@test "a clock with absurd steps: the document is invalid" {
  RESOLUTION=4611686018427387904 EXACT=0 document a.json r1 a null=100
  run_apart "$wsbench" validate a.json
  [ "$status" = 2 ]
  [[ $stderr == *"/clock/resolution: 4611686018427387904 is not the step of a clock"* ]]
  run_apart "$wsbench" history add --db h.jsonl a.json
  [ "$status" = 2 ]
}
