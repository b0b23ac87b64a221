#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes the tables of benchmarks, configs and settings of VMs in bench/README.md from `wsbench list`.
set -euo pipefail

usage() {
  cat <<'END'
usage: scripts/reference.sh [--check] WSBENCH PAGE

Replaces the text of PAGE between the lines
    <!-- reference: NAME -->  and  <!-- end -->
with the table of NAME (benchmarks, configs, settings) as WSBENCH lists it.

  --check  change nothing; exit 1 if PAGE is out of date
END
}

check=0
case ${1-} in
--help) usage && exit 0 ;;
--check) check=1 && shift ;;
esac
[ $# = 2 ] || { usage >&2 && exit 2; }

new=$(mktemp)
trap 'rm -f "$new"' EXIT
python3 - "$1" "$2" >"$new" <<'END'
import json, subprocess, sys

wsbench, page = sys.argv[1:]

def listed(what):
    out = subprocess.run([wsbench, "list", what, "--json"], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)[what]

def cell(text):
    return str(text).replace("|", "\\|")

def benchmarks():
    yield "| benchmark | on | handled by | what happens |"
    yield "|---|---|---|---|"
    for b in listed("benchmarks"):
        # The rows of PMU registers share one line; bench/pmu.def lists them.
        if b["group"] == "pmu_map":
            continue
        archs = " ".join(a for a in b["archs"])
        yield f"| `{b['id']}` | {archs} | {b['handled_by']} | {cell(b['summary'])} |"
    yield "| `pmu_REGISTER_read`, `_write` | x86_64 aarch64 | varies | each register of the PMU: the vPMU map |"

def configs():
    yield "| config | on | effect |"
    yield "|---|---|---|"
    for c in listed("configs"):
        if "source" in c:
            continue  # the table of settings has it
        yield f"| `{c['name']}` | {' '.join(c['archs'])} | {cell(c['summary'])} |"

def settings():
    vms = ["default", "vm-qemu", "vm-qemu-microvm", "vm-firecracker", "vm-crosvm", "vm-cloud-hypervisor"]
    heads = ["least", "QEMU", "microvm", "Firecracker", "crosvm", "Cloud Hypervisor"]
    yield f"| config | on | {' | '.join(heads)} | setting | source |"
    yield "|---|---|" + ":-:|" * len(heads) + "---|---|"
    for c in listed("configs"):
        if "source" not in c:
            continue
        marks = ["x" if vm in c["vms"] else "" for vm in vms]
        yield f"| `{c['name']}` | {' '.join(c['archs'])} | {' | '.join(marks)} | {cell(c['summary'])} | {cell(c['source'])} |"

tables = {"benchmarks": benchmarks, "configs": configs, "settings": settings}
skipping = False
for line in open(page, encoding="utf-8"):
    line = line.rstrip("\n")
    if line == "<!-- end -->":
        skipping = False
    if not skipping:
        print(line)
    if line.startswith("<!-- reference: "):
        print("\n".join(tables[line.split()[2]]()))
        skipping = True
END
if [ "$check" = 1 ]; then
  cmp -s "$new" "$2" || { echo "reference: $2 is out of date: run 'make reference'" >&2 && exit 1; }
else
  cmp -s "$new" "$2" || cp "$new" "$2"
fi
