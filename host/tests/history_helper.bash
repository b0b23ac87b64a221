# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Documents and histories with chosen figures.
# shellcheck disable=SC2034,SC2154  # variables for the tests, and variables of bats' run

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
