#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab with two CPUs: IPIs and kicks, counted to the instruction.
bats_require_minimum_version 1.5.0
load helper

# The figures of two runs are equal. In a few runs, one event is some instructions longer
# (host/targets/lab/README.md), which moves the mean over the events.
figures() {
  python3 -c 'import json, sys
for b in json.load(open(sys.argv[1]))["benchmarks"]:
    print(b["name"], b["status"], b["exits"], *((m["name"], m["estimate"]["value"]) for m in b["metrics"] if m["name"] != "round_trip_batch"))' "$1"
}

@test "lab:aarch64-smp: IPIs and kicks arrive, and a second run has equal figures" {
  need_target lab:aarch64-smp
  for run in 1 2; do
    run_apart "$wsbench" run --on lab:aarch64-smp --events 50 --quiet -o "$run.json"
    [ "$status" = 0 ]
  done
  figures 1.json >first
  figures 2.json >second
  cmp first second
  holds 1.json "all(abs(m['estimate']['value'] / n['estimate']['value'] - 1) < 0.01
    for x, y in zip(d['benchmarks'], json.load(open('2.json'))['benchmarks'])
    for m, n in zip(x['metrics'], y['metrics']))"
  holds 1.json '{x["name"] for x in d["benchmarks"]} ==
    {"ipi_busy", "ipi_idle", "ipi_hw", "kick_signal", "kick_immediate_exit", "mmio_read_concurrent"}'
  # The work of both CPUs: more than a hypercall, less than a time slice of the emulator.
  for row in ipi_busy ipi_idle kick_signal kick_immediate_exit; do
    holds 1.json "b('$row')['status'] == 'ok' and 2000 < value('$row') < 50000"
  done
  # Every read exits to the VMM, as the same read does without company. CPUs that take turns
  # do not contend: the lab shows the path, and no cost of a lock.
  holds 1.json 'b("mmio_read_concurrent")["handled_by"] == "user" and value("mmio_read_concurrent") > 2000'
  # Waking a blocked vCPU costs more than interrupting a running vCPU.
  holds 1.json 'value("ipi_idle") > value("ipi_busy")' \
    'd["target"]["exact"] and d["machine"]["cpus"] == 2'
}

@test "lab:aarch64-smp: rows of one CPU are skipped" {
  need_target lab:aarch64-smp
  refused 2 'none of these benchmarks' "$wsbench" run --on lab:aarch64-smp --bench hypercall -o doc.json
}

@test "lab:aarch64-smp: an exception of the second vCPU is reported with vCPU number and pc" {
  need_target lab:aarch64-smp
  run_apart "$wsbench" run --on lab:aarch64-smp --bench ipi_busy --boots 1 --timeout 1 --quiet \
    --payload "$payloads/aarch64/secondary_fault.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json 'b("ipi_busy")["reason"]' | tee /dev/stderr |
    grep -Eq '^vCPU 1: the guest took exception 0x200 in the .* syndrome 0x96000045 pc 0x[0-9a-f]+ address 0x4000000000$'
}

@test "lab:aarch64-smp: a hung guest is reported with the registers of both vCPUs" {
  need_target lab:aarch64-smp
  run_apart "$wsbench" run --on lab:aarch64-smp --bench ipi_busy --boots 1 --timeout 1 --quiet \
    --payload "$payloads/aarch64/hang.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json 'b("ipi_busy")["reason"]' | tee /dev/stderr |
    grep -Eq '^the guest hung: no end after 1\.0 s; vCPU 0: pc 0x.*; vCPU 1: pc 0x'
}
