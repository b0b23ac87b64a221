#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Counter configurations that only some kernels and machines have: seen to take effect
# by their exits, or skipped with the reason. (Passthrough of the PMU: kmod.bats.)
bats_require_minimum_version 1.5.0
load helper

# measured TARGET BENCHES CONFIGS [OPTION...]: into doc.json.
measured() {
  need_target "$1"
  run_apart "$wsbench" run --on "$1" --bench "$2" --config "$3" --events 50 -o doc.json "${@:4}"
  echo "$stderr"
  [ "$status" = 0 ]
}

# skipped BENCH CONFIG TEXT
skipped() {
  holds doc.json "b('$1', '$2')['status'] == 'skip' and '$3' in b('$1', '$2')['reason']"
}

@test "configs: HLT, PAUSE and MWAIT without their exits, on SVM" {
  measured lab:x86_64-svm hlt_kernel,hlt_user,self_ipi_hlt,pause,mwait,hypercall \
    default,hlt-passthrough,pause-passthrough,mwait-passthrough
  # Of two exits per event, the HLT's is gone; the interrupt window's stays.
  holds doc.json 'b("hlt_kernel", "default")["exits"]["observed"] == 200' \
    'b("hlt_kernel", "hlt-passthrough")["exits"]["observed"] == 100' \
    'b("self_ipi_hlt", "default")["exits"]["observed"] - b("self_ipi_hlt", "hlt-passthrough")["exits"]["observed"] == 100' \
    'value("hlt_kernel", "hlt-passthrough") < value("hlt_kernel", "default")'
  skipped hlt_user hlt-passthrough 'would not wake'
  holds doc.json 'b("pause", "pause-passthrough")["exits"]["observed"] == 0' \
    'b("mwait", "default")["handled_by"] == "kernel"'
  # QEMU executes MWAIT as HLT.
  skipped mwait mwait-passthrough 'sleeps in it until'
  # What they do not change, they leave alone.
  holds doc.json 'len({value("hypercall", x["config"]) for x in d["benchmarks"] if x["name"] == "hypercall"}) == 1'
  nothing_left doc.json
}

@test "configs: HLT and MWAIT without their exits, on VMX: no row waits for the host's tick" {
  # As many events as a run has by default: so many ticks are longer than a boot may be.
  measured lab:x86_64-vmx hlt_kernel,self_ipi_hlt,mwait \
    default,hlt-passthrough,mwait-passthrough --events 500
  # Bochs does not end HLT for an open interrupt window.
  skipped hlt_kernel hlt-passthrough 'sleeps in it until'
  skipped self_ipi_hlt hlt-passthrough 'sleeps in it until'
  holds doc.json 'b("hlt_kernel", "mwait-passthrough")["status"] == "ok"'
  holds doc.json 'b("mwait", "mwait-passthrough")["exits"]["observed"] == 0'
  holds doc.json 'value("mwait", "mwait-passthrough") < 10'
  nothing_left doc.json
}

@test "configs: what this kernel or machine lacks is skipped, and named" {
  measured lab:x86_64-svm hypercall pmu-mediated,pmu-mediated-short,aperfmperf-passthrough
  skipped hypercall pmu-mediated 'kvm_amd has no parameter enable_mediated_pmu (Linux 7.0)'
  skipped hypercall pmu-mediated-short enable_mediated_pmu
  skipped hypercall aperfmperf-passthrough 'Linux 6.17'
  measured lab:aarch64-vhe cntpct cntpct-trap
  skipped cntpct cntpct-trap 'KVM_CAP_COUNTER_OFFSET (Linux 6.4)'
}

@test "configs: with a counter offset CNTPCT traps, on Linux 6.12" {
  local kernel
  need_target lab:aarch64-vhe
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch aarch64 --series 6.12) ||
    skip "no Linux 6.12 here, and Debian cannot be reached"
  measured lab:aarch64-vhe cntpct,cntvct,cntp_cval,exit_out default,cntpct-trap \
    --kernel "$kernel/vmlinuz"
  holds doc.json 'value("cntpct", "default") == 1 and value("cntvct", "cntpct-trap") == 1'
  # EL2 answers it, and KVM proper never hears of it: no exit is counted.
  holds doc.json 'value("cntpct", "cntpct-trap") > 100' \
    'b("cntp_cval", "default")["handled_by"] == "none"' \
    'b("cntp_cval", "cntpct-trap")["handled_by"] == "kernel"'
  skipped exit_out cntpct-trap 'physical counter'
}

@test "configs: the WFI and WFE trap policies, each on a machine booted with them, on Linux 6.12" {
  local kernel
  need_target lab:aarch64-smp
  measured lab:aarch64-vhe hypercall wfx-trap
  skipped hypercall wfx-trap 'does not know kvm-arm.wfi_trap_policy (Linux 6.11)'
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch aarch64 --series 6.12) ||
    skip "no Linux 6.12 here, and Debian cannot be reached"
  measured lab:aarch64-vhe hypercall,wfi default,wfx-trap,wfx-notrap --kernel "$kernel/vmlinuz"
  holds doc.json 'b("wfi", "wfx-trap")["exits"]["observed"] == b("wfi", "default")["exits"]["observed"] > 50' \
    'value("hypercall", "wfx-trap") == value("hypercall", "wfx-notrap")'
  skipped wfi wfx-notrap 'does not exit'
  # The vCPU that waits leaves the guest for the IPI alone, not for its WFI.
  measured lab:aarch64-smp ipi_idle wfx-trap,wfx-notrap --kernel "$kernel/vmlinuz"
  holds doc.json 'b("ipi_idle", "wfx-trap")["exits"]["observed"] >= 100' \
    'b("ipi_idle", "wfx-notrap")["exits"]["observed"] == 0'
}

@test "configs: an exit that the VMM steps over goes on when all registers are synced" {
  measured lab:aarch64-vhe mmio_read_nisv default,sync-always --timeout 1
  holds doc.json 'all(b("mmio_read_nisv", c)["status"] == "ok" for c in ("default", "sync-always"))'
  holds doc.json 'b("mmio_read_nisv", "sync-always")["exits"]["observed"] == 100'
  holds doc.json 'value("mmio_read_nisv", "sync-always") > value("mmio_read_nisv", "default")'
}

@test "clock: its step is measured, and so is the CPU's pace where there is noise" {
  measured lab:aarch64-vhe null default
  holds doc.json '(d["clock"]["resolution"], d["clock"]["steps_hz"]) == (1, 1000000000)' \
    'd["clock"]["least_difference"] > 1'
  # An exact clock counts the CPU's own instructions: there is nothing to compare.
  holds doc.json 'all(x["interference"]["pace_spread"] is None for x in m("null")["boots"])'
  measured kvm null default --boots 6
  holds doc.json 'd["clock"]["resolution"] > 0 and d["clock"]["least_difference"] >= d["clock"]["resolution"]' \
    'd["clock"]["steps_hz"] == d["clock"]["hz"] // d["clock"]["resolution"]' \
    'all(x["interference"]["pace_spread"] >= 0 for x in m("null")["boots"])'
}
