#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench power`: noise of documents and of a history, and what is found in it.
bats_require_minimum_version 1.5.0
load helper

# documents SHIFT...: run1.json, ... of a noisy target with the rows cpuid and null; the
# boots of cpuid are SHIFT + 990, 994, ... 1010.
documents() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import copy, json, sys
with open(sys.argv[1]) as f:
    base = json.load(f)
row = next(b for b in base["benchmarks"] if b["metrics"])
for k, shift in enumerate(map(float, sys.argv[2:]), 1):
    d = copy.deepcopy(base)
    d["run"].update(id="run%d" % k, partial=False)
    d["target"].update(name="kvm", kind="kvm", exact=False, emulator=None)
    d["clock"].update(unit="ticks", resolution=1)
    d["benchmarks"] = []
    for name, level in ("cpuid", 1000 + shift), ("null", 0):
        b = copy.deepcopy(row)
        m = copy.deepcopy(row["metrics"][0])
        m.update(name="round_trip", unit="ticks")
        boot = m["boots"][0]
        m["boots"] = []
        for i in range(6):
            one = copy.deepcopy(boot)
            one.update(index=i, valid=True)
            one["summary"].update(p50=level - 10 + 4 * i, mad=20.0)
            m["boots"].append(one)
        m["estimate"].update(value=level, ci={"level": 0.95, "lo": level - 10, "hi": level + 10, "method": "order-statistic"})
        b.update(name=name, config="default", status="ok", reason=None, metrics=[m])
        d["benchmarks"].append(b)
    with open("run%d.json" % k, "w") as f:
        json.dump(d, f)
END
}

json() {
  python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval("(" + sys.argv[1] + ")"))' "$1" <<<"$stdout"
}

@test "the noise of several runs is split into event, boot and run" {
  documents 0 0 0
  run_apart "$wsbench" power --json run1.json run2.json run3.json
  [ "$status" = 0 ]
  # Boots of 990 to 1010 by 4: a standard deviation of 7.48; events: 20 of 1000.
  [ "$(json '[(r["benchmark"], round(r["event_noise"], 3), round(r["boot_noise"], 5), r["run_noise"]) for r in d["rows"]]')" = "[('cpuid', 0.02, 0.00748, 0.0)]" ]
  [ "$(json 'd["too_few"], d["needs"], d["runs"], d["boots"]')" = "(1, 'runs', 3, 6)" ]
  documents 0 30 -30
  run_apart "$wsbench" power --json run1.json run2.json run3.json
  [ "$(json '0.029 < d["rows"][0]["run_noise"] < 0.031, d["rows"][0]["needs_1_percent"], d["rows"][0]["needs_2_percent"] > d["rows"][0]["needs_5_percent"] > 2')" = "(True, None, True)" ]
  run_apart "$wsbench" power --runs 10 run1.json run2.json run3.json
  [[ $stdout == *"cpuid"*"in band"* ]]
  [[ $stdout == *"of 10 and 10 runs of 6 boots"* ]]
  [[ $stdout == *"1 row with too few runs to know the noise, or near 0"* ]]
}

@test "one run does not show what differs from run to run" {
  documents 0
  run_apart "$wsbench" power run1.json
  [ "$status" = 0 ]
  [[ ${stdout//$'\n'/ } == *"boots for"*"if nothing differs from run to run"* ]]
  run_apart "$wsbench" power --runs 5 run1.json
  [ "$status" = 2 ]
  [[ $stderr == *"one document does not show"* ]]
}

@test "a history: the runs that find a step, and rows of exact targets" {
  python3 "$tests/large_history.py" noisy 120 2 >h.jsonl
  python3 "$tests/large_history.py" exact 3 1 >>h.jsonl
  run_apart "$wsbench" power --db h.jsonl --runs 10 --json
  [ "$status" = 0 ]
  [ "$(json 'len(d["rows"]), d["exact"], d["needs"]')" = "(2, 1, 'runs')" ]
  # The noise is 1 %.
  [ "$(json 'all(r["needs_1_percent"] is None and 5 < r["needs_2_percent"] < 20 and r["needs_5_percent"] == 2 and 0.015 < r["seen"] < 0.025 for r in d["rows"])')" = True ]
  run_apart "$wsbench" power --db h.jsonl
  [[ ${stdout//$'\n'/ } == *"the least step that 'history check' finds in 90 of 100 cases, 5 runs after it"* ]]
  [[ $stdout == *"1 row of exact targets: any change is seen, in one run"* ]]
}

# Boots of 990 to 1010: the interval of six is their range, 2.5 standard deviations. The
# figures of the runs differ by 0.1 %, which is all that a step is compared with.
@test "a history: the noise of a figure is that of the runs, not of their intervals" {
  documents 0 1 -1 0 1 -1
  for k in 1 2 3 4 5 6; do
    "$wsbench" history add --db h.jsonl "run$k.json"
  done
  run_apart "$wsbench" power --db h.jsonl --bench cpuid --json
  [ "$status" = 0 ]
  [ "$(json '[(r["run_noise"], r["needs_2_percent"] < 8) for r in d["rows"]]')" = "[(0.0, True)]" ]
  [ "$(json '0.007 < d["rows"][0]["boot_noise"] < 0.009')" = True ]
}

@test "documents with a row in common, and not the sides of one run" {
  documents 0 0
  sed -i 's/"config": "[^"]*"/"config": "pmu-off"/g' run2.json
  refused 2 "no benchmark with one config in common" "$wsbench" power run1.json run2.json
  documents 0 0
  for side in 1:base 2:new; do
    python3 - "run${side%:*}.json" "${side#*:}" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    d = json.load(f)
d["run"]["pair"] = {"id": "run1", "side": sys.argv[2], "config": "default"}
with open(sys.argv[1], "w") as f:
    json.dump(d, f)
END
  done
  refused 2 "two sides of one run" "$wsbench" power run1.json run2.json
}

@test "documents of one target and machine, each once" {
  documents 0 0
  sed 's/"name": "kvm"/"name": "bare:x86_64"/' run2.json >other.json
  run_apart "$wsbench" power run1.json other.json
  [ "$status" = 2 ]
  run_apart "$wsbench" power run1.json run1.json
  [ "$status" = 2 ]
  [[ $stderr == *"run run1 is there twice"* ]]
  run_apart "$wsbench" power
  [ "$status" = 2 ]
  run_apart "$wsbench" power --bench nix run1.json
  [ "$status" = 2 ]
  [[ $stderr == *"no such row: no benchmark matches 'nix'"* ]]
  refused 2 "no such series: no target matches 'nix'" "$wsbench" power --db "$tests/data/steps.jsonl" --on nix
  python3 - <<'END'
import json
d = json.load(open("run1.json"))
for b in d["benchmarks"]:
    b.update(status="skip", reason="not here", metrics=[])
json.dump(d, open("skipped.json", "w"))
END
  refused 2 "no row has a figure" "$wsbench" power skipped.json
}

@test "the band of several documents is that of the coarsest clock" {
  documents 0 0 0
  python3 -c 'import json; d = json.load(open("run2.json")); d["clock"]["resolution"] = 40; json.dump(d, open("run2.json", "w"))'
  run_apart "$wsbench" power --json run1.json run2.json run3.json
  [ "$status" = 0 ]
  [ "$(json '[round(r["band"], 9) for r in d["rows"]]')" = "[0.08]" ]
}
