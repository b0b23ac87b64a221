#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab with two CPUs: IPIs and kicks, counted to the instruction.
bats_require_minimum_version 1.5.0
load helper

@test "lab:aarch64-smp: IPIs and kicks arrive, and a second run is the same to the byte" {
  need_target lab:aarch64-smp
  for run in 1 2; do
    run_apart "$wsbench" run --on lab:aarch64-smp --events 50 --quiet -o "$run.json"
    [ "$status" = 0 ]
  done
  benchmarks_text 1.json >first
  benchmarks_text 2.json >second
  cmp first second
  holds 1.json '{x["name"] for x in d["benchmarks"]} ==
    {"ipi_busy", "ipi_idle", "ipi_hw", "kick_signal", "kick_immediate_exit"}'
  # Both sides' work: more than a hypercall, and no time slice of the emulator.
  for row in ipi_busy ipi_idle kick_signal kick_immediate_exit; do
    holds 1.json "b('$row')['status'] == 'ok' and 2000 < value('$row') < 50000"
  done
  # To wake a vCPU is dearer than to interrupt one that runs.
  holds 1.json 'value("ipi_idle") > value("ipi_busy")' \
    'd["target"]["exact"] and d["machine"]["cpus"] == 2'
}

@test "lab:aarch64-smp: what needs one CPU only is not its business" {
  need_target lab:aarch64-smp
  refused 2 'none of these benchmarks' "$wsbench" run --on lab:aarch64-smp --bench hypercall -o doc.json
}
