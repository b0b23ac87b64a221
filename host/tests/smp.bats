#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab with two CPUs: IPIs and kicks, counted to the instruction.
bats_require_minimum_version 1.5.0
load helper

# A boot of Bochs with two CPUs takes 8 s of CPU.
setup_file() { own_machines; }

# A machine with a payload (--payload) is another one, which is not saved: WORLDSWITCH_FRESH_MACHINES.

# The figures of two runs are equal. In a few runs, one event is some instructions longer
# (host/targets/lab/bochs/README.md), which moves the mean over the events.
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
  # To KVM_RUN's return: one kick runs a signal handler before it, the other only leaves a signal pending.
  holds 1.json 'value("kick_signal") < value("kick_immediate_exit")'
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
  WORLDSWITCH_FRESH_MACHINES=1 run_apart "$wsbench" run --on lab:aarch64-smp --bench ipi_busy --boots 1 --timeout 1 --quiet \
    --payload "$payloads/aarch64/secondary_fault.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json 'b("ipi_busy")["reason"]' | tee /dev/stderr |
    grep -Eq '^vCPU 1: the guest took exception 0x200 in the .* syndrome 0x96000045 pc 0x[0-9a-f]+ address 0x4000000000$'
}

@test "lab:aarch64-smp: a hung guest is reported with the registers of both vCPUs" {
  need_target lab:aarch64-smp
  WORLDSWITCH_FRESH_MACHINES=1 run_apart "$wsbench" run --on lab:aarch64-smp --bench ipi_busy --boots 1 --timeout 1 --quiet \
    --payload "$payloads/aarch64/hang.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json 'b("ipi_busy")["reason"]' | tee /dev/stderr |
    grep -Eq '^the guest hung: no end after 1\.0 s; vCPU 0: pc 0x.*; vCPU 1: pc 0x'
}

two_cpus='ipi_busy,ipi_idle,kick_signal,kick_immediate_exit,mmio_read_concurrent,pause_round_robin'

# repeats LAB: figures of all rows, on the machine that is booted, then of two of them, on the
# machine that was saved.
repeats() {
  need_target "$1"
  "$wsbench" run --on "$1" --bench "null,$two_cpus" --boots 1 --events 24 --quiet -o all.json >/dev/null
  "$wsbench" run --on "$1" --bench ipi_idle,kick_signal --boots 1 --events 24 --quiet -o two.json >/dev/null
  python3 - two.json all.json <<'END'
import json, sys
two, every = ({b["name"]: b["metrics"] for b in json.load(open(f))["benchmarks"]} for f in sys.argv[1:])
assert len(two) == 2 and all(two[name] == every[name] for name in two), (two, every)
END
  holds all.json 'd["target"]["exact"] and d["machine"]["cpus"] == 2' 'd["clock"]["unit"] == "insns"' \
    'len(d["benchmarks"]) == 7 and all(x["status"] == "ok" for x in d["benchmarks"])' \
    'all(x["exits"]["expected"] == x["exits"]["observed"] for x in d["benchmarks"])' \
    'value("null") == 0' \
    'b("mmio_read_concurrent")["handled_by"] == "user" and value("mmio_read_concurrent") > 2000' \
    '2000 < value("kick_signal") < value("kick_immediate_exit") < 20000'
  # Both CPUs execute at the same time: a vCPU that waits with PAUSE has its turn before it exits.
  holds all.json 'b("pause_round_robin")["handled_by"] == "none"' '0 < value("pause_round_robin") < 100'
}

@test "lab:x86_64-svm-smp: IPIs, kicks and PAUSE, equal whatever else is asked for; both vCPUs exit for an IPI" {
  repeats lab:x86_64-svm-smp
  # Another boot has the figures of the first: that of the config with which PAUSE exits.
  local config=(--config ple-constant --boots 1 --events 24 --quiet)
  "$wsbench" run --on lab:x86_64-svm-smp --bench ipi_idle,kick_signal,pause_exit "${config[@]}" -o again.json >/dev/null
  values() { figures "$1" | sed 's/{[^}]*}//'; } # without the number of events
  cmp <(values two.json) <(values again.json | grep -v '^pause_exit ')
  pause_exits again.json
  "$wsbench" run --on lab:x86_64-svm-smp --bench hypercall,pause_exit --seed 7 "${config[@]}" -o beside.json >/dev/null
  cmp <(figures again.json | grep '^pause_exit ok ') <(figures beside.json | grep '^pause_exit ')
  # The sender exits to send, and the target exits to be interrupted.
  holds all.json 'value("ipi_idle") > value("ipi_busy") > 3000'
  run_apart "$wsbench" run --on lab:x86_64-svm-smp --bench pause_exit --boots 1 -o pause.json
  holds pause.json 'b("pause_exit")["reason"].endswith("_grow is 2): config ple-constant")'
}

@test "lab:x86_64-vmx-smp: the same; an IPI is posted to the running vCPU, which does not exit" {
  repeats lab:x86_64-vmx-smp
  holds all.json 'value("ipi_idle") > value("ipi_busy")' '1000 < value("ipi_busy") < 2500'
}

@test "lab:x86_64-*-smp: rows of one vCPU have the figures of the lab with one CPU" {
  local lab run
  for lab in svm vmx; do
    need_target lab:x86_64-$lab-smp
    need_target lab:x86_64-$lab
    run=("$wsbench" run --bench "hypercall,mmio_read_kernel,rdpmc_general,pio_out_user,irq_inject" --boots 1 --quiet)
    WORLDSWITCH_CACHE=$real_cache "${run[@]}" --on lab:x86_64-$lab -o $lab.json >/dev/null
    "${run[@]}" --on lab:x86_64-$lab-smp -o $lab-smp.json >/dev/null
    python3 - $lab.json $lab-smp.json <<'END'
import json, sys
one, two = ({b["name"]: b["metrics"][0]["estimate"]["value"] for b in json.load(open(f))["benchmarks"]} for f in sys.argv[1:])
print(one, two)
assert one == two and len(one) == 5 and two["pio_out_user"] > two["hypercall"] > 1000
END
  done
}

@test "lab:x86_64-svm-smp: an exception of the second vCPU, and a hang, are reported with the registers of both" {
  need_target lab:x86_64-svm-smp
  WORLDSWITCH_FRESH_MACHINES=1 run_apart "$wsbench" run --on lab:x86_64-svm-smp --bench ipi_busy --boots 1 --timeout 1 --quiet \
    --payload "$payloads/x86_64/secondary_fault.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json 'b("ipi_busy")["reason"]' | tee /dev/stderr | grep -q '^vCPU 1: the guest took exception '
  WORLDSWITCH_FRESH_MACHINES=1 run_apart "$wsbench" run --on lab:x86_64-svm-smp --bench ipi_busy --boots 1 --timeout 1 --quiet \
    --payload "$payloads/x86_64/hang.elf" -o hung.json
  [ "$status" = 4 ]
  doc hung.json 'b("ipi_busy")["reason"]' | tee /dev/stderr |
    grep -Eq '^the guest hung: no end after 1\.0 s; vCPU 0: .*0x.*; vCPU 1: .*0x'
}

@test "lab:x86_64-*-smp are named in full only; without their emulator, one line says how to build it" {
  run_apart "$wsbench" run --on 'lab:x86_64-*-smp' --bench null
  [ "$status" = 2 ]
  [[ $stderr == *"must be named in full"* ]]
  WORLDSWITCH_EMULATORS=$PWD/none refused 4 \
    "the project's bochs-smp is not built (scripts/emulator.sh build bochs-smp)" \
    "$wsbench" run --on lab:x86_64-vmx-smp --bench null -o doc.json
}

# In x2APIC mode the ICR names a CPU: its own, not CPU 0 for both.
@test "lab:x86_64-svm-smp: each of two vCPUs receives the IPIs that it sends itself" {
  need_target lab:x86_64-svm-smp
  run_apart "$wsbench" run --on lab:x86_64-svm-smp --bench x2apic_icr,self_ipi --vcpus 2 --boots 1 --events 50 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'len(d["benchmarks"]) == 2 and all(x["status"] == "ok" for x in d["benchmarks"])'
}
