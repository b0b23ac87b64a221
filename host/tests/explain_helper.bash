# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Explanations of a row, and checks of their sums.
# shellcheck disable=SC2034,SC2154  # variables for the tests, and variables of bats' run

# explained LAB BENCH [OPTION...]: writes explained.json. The total equals the figure of
# `run` for the row, the parts sum to the total, and every function has a name.
explained() {
  local lab=$1 bench=$2
  shift 2
  need_target "lab:$lab"
  run_apart "$wsbench" explain --on "lab:$lab" --bench "$bench" --events 60 "$@" -o explained.json
  echo "$stderr"
  [ "$status" = 0 ]
  run_apart "$wsbench" run --on "lab:$lab" --bench "$bench" --events 60 -o run.json
  [ "$status" = 0 ]
  sums explained.json
}

# sums EXPLANATION: its sums are the figure of run.json.
sums() {
  sum=$(python3 - "$1" run.json <<'END'
import json, sys
from collections import Counter
e, r = (json.load(open(p)) for p in sys.argv[1:])
b = next(b for b in r["benchmarks"] if (b["name"], b["config"]) == (e["benchmark"], e["config"]))
figure = next(m for m in b["metrics"] if m["name"] == "round_trip")["estimate"]["value"]
functions = sum(f["insns"] for f in e["functions"]) - e["clock_insns"]
stacks = sum(s["insns"] for s in e["stacks"]) - e["clock_insns"]
named = not {"[guest]", "[user]", "[kernel]", "[hyp]"} & {f["name"] for f in e["functions"]}
# The last frame of a stack names its function in full.
own, by_stack = Counter(), Counter()
for f in e["functions"]:
    own[f["name"], f["space"], f["module"] or ""] += f["insns"]
for s in e["stacks"]:
    assert len(s["frames"]) == len(s["spaces"]) == len(s["modules"])
    by_stack[s["frames"][-1], s["spaces"][-1], s["modules"][-1]] += s["insns"]
print(figure == e["round_trip"] == e["total"] == functions == stacks, named, own == by_stack, e["warnings"])
END
  )
  echo "$sum"
  [ "$sum" = "True True True []" ]
}

# The explanation without the times and the command of the run.
body() { sed '1,/^  "subject"/d' "$1"; }

# explanation FILE ARCH KINDS [HYPERVISOR]: an explanation of two functions; KINDS 0: without
# kinds.
explanation() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import json, sys
base, path, arch, kinds, *hypervisor = sys.argv[1:]
with open(base) as f:
    d = json.load(f)
names = ["sysreg_reads", "sysreg_writes", "barriers", "tlb_maintenance", "cache_maintenance",
         "vm_insns", "loads", "stores", "branches_taken", "code_lines", "data_lines"]
counts = dict.fromkeys(names, 3) if kinds == "1" else None
d["machine"]["arch"] = arch
d["target"]["hypervisor"] = hypervisor[0] if hypervisor else None
function = {"module": None, "space": "kernel", "layer": "kernel, other", "kinds": counts, "registers": []}
with open(path, "w") as f:
    json.dump({
        "schema": "worldswitch.explanation", "schema_version": 1,
        **{k: d[k] for k in ("run", "subject", "target", "machine")},
        "benchmark": "hypercall", "config": "default", "unit": "insns",
        "round_trip": 30, "total": 30, "clock_insns": 0, "events": 1, "events_alike": 1,
        "kinds": counts,
        "functions": [dict(function, name="outer", insns=20), dict(function, name="inner", insns=10)],
        "stacks": [{"frames": ["outer"], "insns": 20}, {"frames": ["outer", "inner"], "spaces": ["kernel", "kernel"],
                                                             "modules": ["", "kvm"], "insns": 10}],
        "warnings": []}, f)
END
}
