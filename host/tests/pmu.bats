#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The vPMU map: rows pmu_*, `wsbench pmu`, config pmc-msr-user.
bats_require_minimum_version 1.5.0
load helper

# all_are CONFIG WORD: WORD handled every row under CONFIG, with one exit per event.
all_are() {
  holds "$document" "all(x['handled_by'] == '$2' and x['exits']['observed'] == x['exits']['expected'] > 0
    for x in d['benchmarks'] if x['config'] == '$1' and x['group'] == 'pmu_map')"
}

@test "aarch64: without a vPMU accesses fault, with a vPMU the kernel handles each" {
  document aarch64-vhe
  all_are pmu-emulated kernel
  holds "$document" 'all(x["exits"]["faults"] == 0 for x in d["benchmarks"] if x["config"] == "pmu-emulated")'
  for row in pmu_pmccntr_read pmu_pmcr_write pmu_pmevcntr_last_read pmu_pmswinc_write; do
    holds "$document" "b('$row', 'pmu-off')['exits']['faults'] ==
      sum(y['events'] for y in m('$row', 'pmu-off')['boots']) > 0"
  done
}

@test "aarch64: PMCCNTR_EL0 costs 2 instructions more in the map than in the row pmccntr" {
  document aarch64-vhe
  # The payload of the map has two more instructions, which load the operand.
  holds "$document" 'value("pmu_pmccntr_read", "pmu-emulated") - 2 == value("pmccntr", "pmu-emulated")'
}

@test "x86_64: with the MSR filter every MSR of the map exits to the VMM" {
  document x86_64-svm
  holds "$document" 'len([x for x in d["benchmarks"] if x["group"] == "pmu_map"]) > 50' \
    'all(x["handled_by"] != "user" for x in d["benchmarks"]
    if x["name"].startswith(("pmu_", "rdpmc_")) and x["config"] == "default")'
  "$wsbench" run --quiet --on lab:x86_64-svm --bench 'pmu_*' --boots 1 --events 10 --config pmc-msr-user -o doc.json >/dev/null
  holds doc.json 'len([x for x in d["benchmarks"] if x["group"] == "pmu_map"]) > 50' \
    'all(x["exits"]["user"] == x["exits"]["expected"] > 0 for x in d["benchmarks"] if x["group"] == "pmu_map")'
  # Writes of read-only registers fault.
  holds doc.json 'b("pmu_global_status_write", "pmc-msr-user")["exits"]["faults"] ==
    sum(y["events"] for y in m("pmu_global_status_write", "pmc-msr-user")["boots"]) > 0' \
    'b("pmu_global_status_read", "pmc-msr-user")["exits"]["faults"] == 0'
}

@test "pmu FILE shows the map of a document" {
  document aarch64-vhe
  run_apart "$wsbench" pmu "$document"
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  grep -qE '^PMCCNTR_EL0 +fault +[0-9,]+ +fault +[0-9,]+ +kernel +[0-9,]+ +kernel +[0-9,]+' <<<"$stdout"
  grep -qE '^PMSWINC_EL0 +- +fault' <<<"$stdout"
  grep -qE '^PMUVer .* none +PMUv3' <<<"$stdout"
  grep -q '^events, guest \[pmu-emulated\]: .*CPU_CYCLES' <<<"$stdout"
  [ "$(LC_ALL=C.UTF-8 wc -L <<<"$stdout")" -le 100 ]
}

@test "pmu FILE --json shows the map of a document" {
  document aarch64-vhe
  run_apart "$wsbench" pmu --json "$document"
  [ "$status" = 0 ]
  printf '%s' "$stdout" >map.json
  python3 - "$document" map.json <<'END'
import json, sys

doc, shown = (json.load(open(f)) for f in sys.argv[1:])
rows = [b for b in doc["benchmarks"] if b["group"] == "pmu_map"]
assert len(shown["map"]) == len(rows) > 60
pmcr = [m for m in shown["map"] if m["register"] == "PMCR_EL0" and m["access"] == "read"]
assert {m["config"]: m["class"] for m in pmcr} == {"pmu-off": "fault", "pmu-emulated": "kernel"}
for m in pmcr:
    b = next(b for b in rows if b["name"] == "pmu_pmcr_read" and b["config"] == m["config"])
    assert m["value"] == b["metrics"][0]["estimate"]["value"]
# The decoded registers of the guest: N is bits 15-11 of PMCR_EL0.
guest = next(s for s in doc["pmu"]["sources"] if s["config"] == "pmu-emulated")
pmcr = int(next(r["value"] for r in guest["registers"] if r["name"] == "PMCR_EL0"), 16)
n = next(c["value"] for c in shown["capabilities"]
         if c["config"] == "pmu-emulated" and c["name"].startswith("event counters"))
assert int(n) == pmcr >> 11 & 31 > 0
END
}

@test "kvm: wsbench pmu measures and shows the registers of the VMM's PMU" {
  need_target kvm
  [ "$arch" = x86_64 ] || skip "MSRs are x86_64's"
  run_apart "$wsbench" pmu --on kvm --config pmc-msr-user --boots 1 --quiet
  [ "$status" = 0 ]
  grep -qE '^IA32_PMC0 +user +[0-9,.]+ +user +[0-9,.]+' <<<"$stdout"
  grep -qE '^full-width writes .*yes$' <<<"$stdout"
  grep -q 'Not yet run on x86_64 hardware' <<<"$stdout"
  nothing_left
}

@test "pmu: a document without a map is bad input" {
  printf '{}' >empty.json
  run_apart "$wsbench" pmu empty.json
  [ "$status" = 2 ]
  one_line "$stderr"
  run_apart "$wsbench" pmu --on kvm "$tests/result_v1.json"
  [ "$status" = 2 ]
  run_apart "$wsbench" pmu --boots 1 "$tests/result_v1.json"
  [ "$status" = 2 ]
  run_apart "$wsbench" pmu "$tests/result_v1.json"
  [ "$status" = 2 ]
  one_line "$stderr"
  [ -z "$stdout" ]
}

# KVM emulates the registers, and EL2 never switches the counters (results/kernels.md).
@test "lab:aarch64-pkvm: the virtual PMU that does not count, on Linux 6.12" {
  local kernel
  need_target lab:aarch64-pkvm
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch aarch64 --series 6.12) ||
    skip "no Linux 6.12 here, and Debian cannot be reached"
  run_apart "$wsbench" run --on lab:aarch64-pkvm --kernel "$kernel/vmlinuz" --bench pmccntr,pmu_accuracy_cycles,pmu_overflow_irq \
    --config pmu-emulated --boots 1 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'value("pmu_accuracy_cycles", metric="counted") == 0' 'value("pmu_accuracy_cycles", metric="error") == 4000' \
    'b("pmccntr")["handled_by"] == "kernel" and value("pmccntr") > 1000' \
    'b("pmu_overflow_irq")["status"] == "skip" and "does not count" in b("pmu_overflow_irq")["reason"]'
}
