#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench calibrate fits the weights of estimated cycles.
bats_require_minimum_version 1.5.0
load helper

# documents NOISE: measured.json, of hardware, and lab.json, of a lab with simulated counts: 40
# rows of a machine whose weights are known. One row has no counts, one is handled otherwise.
documents() {
  python3 - "$tests/result_v1.json" "$1" <<'END'
import copy, json, random, sys
base, noise = json.load(open(sys.argv[1])), float(sys.argv[2])
random.seed(7)
machine = {"insns": 0.5, "l1i_misses": 9, "sysreg_writes": 40, "exceptions": 200}
terms = ["loads", "stores", "l1i_misses", "l1d_misses", "ll_misses", "mispredicts",
         "indirect_mispredicts", "sysreg_reads", "sysreg_writes", "barriers", "tlb_maintenance",
         "cache_maintenance", "vm_insns", "exceptions", "exception_returns", "guest_entries"]

def metric(name, unit, value):
    m = copy.deepcopy(next(m for b in base["benchmarks"] for m in b["metrics"]))
    m.update(name=name, unit=unit, boots=[])
    m["estimate"].update(value=value)
    return m

def row(name, metrics):
    b = copy.deepcopy(next(b for b in base["benchmarks"] if b["metrics"]))
    b.update(name=name, config="default", status="ok", reason=None, metrics=metrics)
    return b

lab, measured = copy.deepcopy(base), copy.deepcopy(base)
lab["target"].update(name="lab:x86_64-svm", kind="lab", exact=True)
measured["target"].update(name="kvm", kind="kvm", exact=False)
for d in lab, measured:
    d["machine"]["arch"] = "x86_64"
    d["benchmarks"] = []
measured["clock"]["unit"] = "ticks"
for i in range(40):
    counts = {"insns": random.randrange(300, 6000), **{t: random.randrange(0, 60) for t in terms}}
    ticks = sum(w * counts[t] for t, w in machine.items()) * (1 + noise * random.uniform(-1, 1))
    lab["benchmarks"].append(row(f"row_{i}", [metric("round_trip", "insns", counts["insns"])] +
                                 [metric(t, "misses", counts[t]) for t in terms]))
    measured["benchmarks"].append(row(f"row_{i}", [metric("round_trip", "ticks", ticks)]))
del lab["benchmarks"][3]["metrics"][5]
lab["benchmarks"][4]["handled_by"] = "none"
measured["benchmarks"][4]["handled_by"] = "user"
for name, d in ("lab.json", lab), ("measured.json", measured):
    json.dump(d, open(name, "w"))
END
}

# weight TERM: of the file `weights`.
weight() { sed -n "s/^$1 //p" weights; }

@test "calibrate recovers the weights of a machine, and explain uses them" {
  documents 0
  run_apart "$wsbench" calibrate measured.json lab.json -o weights
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -qE '^row_0 \[default\] ' <<<"$stdout"
  grep -q '38 rows, 2 without counts of a lab; cross-validated error: median 0.0 %, largest 0.0 %' <<<"$stdout"
  python3 - <<'END'
w = dict(l.split() for l in open("weights") if not l.startswith("#"))
assert w.pop("unit") == "ticks"
known = {"insns": 0.5, "l1i_misses": 9, "sysreg_writes": 40, "exceptions": 200}
assert len(w) == 17
for term, value in w.items():
    assert abs(float(value) - known.get(term, 0)) < 1e-6, (term, value)
END
  need_target lab:x86_64-svm
  "$wsbench" explain --on lab:x86_64-svm --bench hypercall --events 60 --touch -o h.json >text
  run ! grep -q estimate text
  "$wsbench" explain h.json --estimate weights >text
  run ! grep -q 'What the event touches' text
  estimate=$(sed -n 's/^estimated_ticks *//p' text | tr -d ,)
  [ "$estimate" = "$(doc h.json '"%.0f" % (0.5 * d["total"] + 9 * d["touch"]["warm"]["l1i_misses"] + 40 * d["kinds"]["sysreg_writes"] + 200 * d["touch"]["exceptions"])')" ]
  grep -q '^estimate, not a measurement' text
  # A family of the table, whose formula is another tool's.
  "$wsbench" explain h.json --touch --estimate gungraun >text
  estimate=$(sed -n 's/^estimated_cycles *//p' text | tr -d ,)
  [ "$estimate" = "$(doc h.json 'd["total"] + d["kinds"]["loads"] + d["kinds"]["stores"] + 4 * (d["touch"]["warm"]["l1i_misses"] + d["touch"]["warm"]["l1d_misses"]) + 30 * d["touch"]["warm"]["ll_misses"]')" ]
}

@test "calibrate on a noisy machine prints the error of rows that are left out" {
  documents 0.05
  run_apart "$wsbench" calibrate measured.json lab.json -o weights
  [ "$status" = 0 ]
  # Noise of 5 % at most, by 38 rows for 17 weights.
  python3 - "$stdout" <<'END'
import re, sys
median, largest = map(float, re.search(r"median ([\d.]+) %,\s+largest\s+([\d.]+) %", sys.argv[1]).groups())
assert 0.5 < median < 8 and median < largest < 40, (median, largest)
END
  python3 -c "assert 0.35 < $(weight insns) < 0.65 and 150 < $(weight exceptions) < 250"
}

@test "calibrate: the name of the machine cannot control the terminal" {
  documents 0
  python3 - <<'END'
import json
d = json.load(open("measured.json"))
d["machine"]["cpu_model"] = "CPU\x1b[31m\nred"
json.dump(d, open("measured.json", "w"))
END
  run_apart "$wsbench" calibrate measured.json lab.json -o weights
  [ "$status" = 0 ]
  grep -qF 'CPU\x1b[31m red' <<<"$stdout"
  # The comment of the file is one line.
  [ "$(grep -c '^#' weights)" = "$(grep -cv '^[a-z]' weights)" ]
}

@test "calibrate refuses what does not determine weights" {
  documents 0
  local calibrate=("$wsbench" calibrate)
  refused 2 'needs a measured document and a document of a lab' "${calibrate[@]}" measured.json
  refused 2 'lab:x86_64-svm is not hardware' "${calibrate[@]}" lab.json lab.json
  refused 2 'kvm is not a lab' "${calibrate[@]}" measured.json measured.json
  sed 's/"arch": "x86_64"/"arch": "aarch64"/g' lab.json >arm.json
  refused 2 'kvm is of x86_64, lab:x86_64-svm of aarch64' "${calibrate[@]}" measured.json arm.json
  sed 's/"l1d_misses"/"other"/g' lab.json >no.json
  refused 3 '0 rows do not determine weights' "${calibrate[@]}" measured.json no.json
  refused 2 "neither a file nor a family of weights (gungraun, cachegrind, skylake, neoverse-n1)" \
    "$wsbench" explain h.json --touch --estimate none
  cp "$tests/data/explain/svm-hypercall-6.1.json" plain.json
  refused 2 'plain.json: does not say what the event touches (record it with --touch)' \
    "$wsbench" explain plain.json --estimate gungraun
  refused 2 '--estimate and --diff' "$wsbench" explain plain.json --estimate gungraun --diff plain.json
  echo 'insns one' >wrong
  refused 2 'wrong: line 1 is not a term and its weight' "$wsbench" explain h.json --touch --estimate wrong
  printf 'insns 1\ninsns 2\n' >wrong
  refused 2 'wrong: line 2 is not a term and its weight' "$wsbench" explain h.json --touch --estimate wrong
  printf '# nothing\nunit cycles\n' >wrong
  refused 2 'wrong: has no weights' "$wsbench" explain h.json --touch --estimate wrong
  printf 'insns 1\n\0' >wrong
  refused 2 'wrong: is not text' "$wsbench" explain h.json --touch --estimate wrong
}
