#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Configurations that only some kernels and machines support: the exits show the effect, or
# the row is skipped with the reason. (Passthrough of the PMU: kmod.bats.)
bats_require_minimum_version 1.5.0
load helper

# measured TARGET BENCHES CONFIGS [OPTION...]: runs into doc.json.
measured() {
  need_target "$1"
  run_apart "$wsbench" run --on "$1" --bench "$2" --config "$3" --events 50 -o doc.json "${@:4}"
  echo "$stderr"
  [ "$status" = "${expected:-0}" ]
}

# skipped BENCH CONFIG TEXT
skipped() {
  holds doc.json "b('$1', '$2')['status'] == 'skip' and '$3' in b('$1', '$2')['reason']"
}

@test "configs: HLT, PAUSE and MWAIT without exits, on SVM in QEMU" {
  measured lab:x86_64-svm-qemu hlt_kernel,hlt_user,self_ipi_hlt,pause,mwait,hypercall \
    default,hlt-passthrough,pause-passthrough,mwait-passthrough --boots 1
  # Of two exits per event, only the exit of the interrupt window is left. Exits for
  # the host's interrupts are not the guest's.
  holds doc.json 'b("hlt_kernel", "default")["exits"]["observed"] == 100' \
    'b("hlt_kernel", "hlt-passthrough")["exits"]["observed"] == 50' \
    'b("self_ipi_hlt", "default")["exits"]["observed"] - b("self_ipi_hlt", "hlt-passthrough")["exits"]["observed"] == 50' \
    'value("hlt_kernel", "hlt-passthrough") < value("hlt_kernel", "default")'
  skipped hlt_user hlt-passthrough 'would not wake'
  holds doc.json 'b("pause", "pause-passthrough")["exits"]["observed"] == 0' \
    'b("mwait", "default")["handled_by"] == "kernel"'
  # QEMU executes MWAIT as HLT.
  skipped mwait mwait-passthrough 'sleeps in it until'
  # Rows that a config does not affect keep their figure.
  holds doc.json 'len({value("hypercall", x["config"]) for x in d["benchmarks"] if x["name"] == "hypercall"}) == 1'
  nothing_left doc.json
}

@test "configs: HLT, PAUSE and MWAIT without exits, on SVM" {
  measured lab:x86_64-svm hlt_kernel,self_ipi_hlt default,hlt-passthrough --boots 1
  # Of two exits per event, only the exit of the interrupt window is left.
  holds doc.json 'b("hlt_kernel", "default")["exits"]["observed"] == 100' \
    'b("hlt_kernel", "hlt-passthrough")["exits"]["observed"] == 50' \
    'b("self_ipi_hlt", "default")["exits"]["observed"] - b("self_ipi_hlt", "hlt-passthrough")["exits"]["observed"] == 50' \
    'value("hlt_kernel", "hlt-passthrough") < value("hlt_kernel", "default")'
  measured lab:x86_64-svm pause,mwait default,pause-passthrough,mwait-passthrough --boots 1
  holds doc.json 'b("pause", "pause-passthrough")["exits"]["observed"] == 0' \
    'b("mwait", "default")["handled_by"] == "kernel"' \
    'b("mwait", "mwait-passthrough")["exits"]["observed"] == 0' \
    'value("mwait", "mwait-passthrough") < 10'
  nothing_left doc.json
}

@test "configs: HLT and MWAIT without exits, on VMX: no row waits for the host's tick" {
  # The default number of events: as many host ticks would exceed the time limit of a boot.
  measured lab:x86_64-vmx hlt_kernel,self_ipi_hlt,mwait \
    default,hlt-passthrough,mwait-passthrough --events 500 --boots 1
  # In Bochs an open interrupt window does not end HLT.
  skipped hlt_kernel hlt-passthrough 'sleeps in it until'
  skipped self_ipi_hlt hlt-passthrough 'sleeps in it until'
  holds doc.json 'b("hlt_kernel", "mwait-passthrough")["status"] == "ok"'
  holds doc.json 'b("mwait", "mwait-passthrough")["exits"]["observed"] == 0'
  holds doc.json 'value("mwait", "mwait-passthrough") < 10'
  nothing_left doc.json
}

@test "configs: a config that the kernel or machine lacks is skipped with the reason" {
  expected=3 measured lab:x86_64-svm hypercall pmu-mediated,pmu-mediated-short,aperfmperf-passthrough
  skipped hypercall pmu-mediated 'kvm_amd has no parameter enable_mediated_pmu (Linux 7.0)'
  skipped hypercall pmu-mediated-short enable_mediated_pmu
  skipped hypercall aperfmperf-passthrough 'Linux 6.17'
  expected=3 measured lab:aarch64-vhe cntpct cntpct-trap
  skipped cntpct cntpct-trap 'KVM_CAP_COUNTER_OFFSET (Linux 6.4)'
}

@test "configs: the VMs of VMMs and their settings, on arm64" {
  local settings=set-pmu,set-ptrauth,set-nisv-to-user,set-its,set-pvtime-slot,set-flash,set-sve
  measured lab:aarch64-vhe hypercall,mmio_write_user,fp_first_use,pmccntr \
    "default,pmu-present,pmu-emulated,vm-qemu,vm-firecracker,vm-crosvm,set-pvtime-ram,$settings" --boots 1
  # The stolen time is written at every KVM_RUN, not at an exit that KVM handles.
  holds doc.json 'value("mmio_write_user", "set-pvtime-slot") > value("mmio_write_user", "default") + 200' \
    'value("mmio_write_user", "set-pvtime-ram") > value("mmio_write_user", "default") + 200' \
    'value("hypercall", "set-pvtime-slot") == value("hypercall", "set-pvtime-ram") == value("hypercall", "default")'
  # A vPMU that the guest does not use costs less than one it uses; nothing reads it.
  holds doc.json 'value("hypercall", "default") < value("hypercall", "pmu-present") == value("hypercall", "set-pmu") == value("hypercall", "vm-qemu")' \
    'not any(x["name"] == "visible" for x in b("hypercall", "pmu-present")["metrics"])' \
    'b("pmccntr", "pmu-present")["handled_by"] == "kernel" and b("pmccntr", "vm-firecracker")["exits"]["faults"] > 0'
  # More state of the guest to restore at the first use.
  holds doc.json 'value("fp_first_use", "set-sve") != value("fp_first_use", "default")'
  # What the kernel lacks is left out, and the document says so.
  holds doc.json 'any(w["code"] == "vm-settings" and "vm-firecracker" in w["message"] and "counter-offset" in w["message"] for w in d["warnings"])' \
    'not any("vm-qemu" in w["message"] for w in d["warnings"])'
  measured lab:aarch64-vhe hypercall default,set-counter-offset --boots 1
  skipped hypercall set-counter-offset 'does not offer counter-offset: Linux 6.4'
  nothing_left doc.json
}

@test "configs: the VMs of VMMs and their settings, on VMX" {
  need_target lab:x86_64-vmx
  measured lab:x86_64-vmx cpuid,pio_out_user,mmio_read_kernel,rdmsr_user,rdpmc_general \
    default,vm-qemu,vm-firecracker,vm-cloud-hypervisor,set-cpuid-no-pmu,set-split-irqchip,set-msr-filter,set-notify-vmexit \
    --boots 1
  # Without a vPMU KVM does not look for counters to switch, in any exit.
  holds doc.json 'value("cpuid", "vm-firecracker") == value("cpuid", "set-cpuid-no-pmu") < value("cpuid", "default") - 100' \
    'value("cpuid", "vm-qemu") == value("cpuid", "default")' \
    'b("rdpmc_general", "set-cpuid-no-pmu")["exits"]["faults"] > 0'
  # No PIC and IOAPIC on the bus that the kernel searches first.
  holds doc.json 'value("pio_out_user", "set-split-irqchip") < value("pio_out_user", "default")'
  skipped mmio_read_kernel vm-cloud-hypervisor 'in-kernel interrupt controller'
  skipped rdmsr_user vm-qemu 'one MSR filter'
  skipped rdmsr_user set-msr-filter 'one MSR filter'
  skipped cpuid set-notify-vmexit 'no notify exits'
  holds doc.json 'any(w["code"] == "vm-settings" and "vm-qemu" in w["message"] and "notify-vmexit" in w["message"] for w in d["warnings"])'
  nothing_left doc.json
}

# Neoverse N1 has no pointer authentication: the CPU itself raises the exception.
@test "configs: the row of a register that the VM lacks is skipped where the VM has it" {
  need_target lab:aarch64-vhe
  need_target lab:aarch64-vhe-n1
  measured lab:aarch64-vhe unknown_sysreg default,set-ptrauth,vm-qemu,vm-crosvm --boots 1 --events 20
  holds doc.json 'b("unknown_sysreg", "default")["exits"]["faults"] == b("unknown_sysreg", "default")["exits"]["expected"] > 0'
  for config in set-ptrauth vm-qemu vm-crosvm; do
    skipped unknown_sysreg "$config" 'the VM has pointer authentication'
  done
  measured lab:aarch64-vhe-n1 unknown_sysreg default,set-ptrauth,vm-qemu,vm-crosvm --boots 1 --events 20
  for config in default vm-qemu vm-crosvm; do
    holds doc.json "b('unknown_sysreg', '$config')['exits']['faults'] == 20" \
      "value('unknown_sysreg', '$config') == value('unknown_sysreg', 'default')"
  done
  skipped unknown_sysreg set-ptrauth 'does not offer ptrauth'
}

# One fault maps eight pages. On VMX (kvm.nx_huge_pages) Linux 6.1 keeps the table of small pages; KVM
# write-protects the huge page, and does not split it at once: a request that finds 512 small pages is
# five times as long.
@test "configs: rows of memory slots where KVM prefetches pages" {
  local target
  for target in lab:x86_64-svm lab:x86_64-vmx; do
    measured "$target" 'memslot_*,dirty_log_*_2m' nested-paging-off --boots 1 --events 5
    holds doc.json 'len(d["benchmarks"]) == 5 and all(x["status"] == "ok" for x in d["benchmarks"])' \
      '5 * value("dirty_log_start_2m", "nested-paging-off") < value("dirty_log_stop_2m", "nested-paging-off")'
  done
  measured lab:x86_64-vmx 'memslot_*,dirty_log_*_2m' default --append kvm.tdp_mmu=0 --boots 1 --events 5
  holds doc.json 'len(d["benchmarks"]) == 5 and all(x["status"] == "ok" for x in d["benchmarks"])' \
    '5 * value("dirty_log_start_2m") < value("dirty_log_stop_2m")'
}

# The local APIC is in the kernel, the IOAPIC and the PIC are not. A new dirty log of QEMU's
# VM is full: the slot is registered, and the huge page is split when the log is cleared.
@test "configs: rows of the local APIC under split controllers, and full dirty logs, on SVM" {
  need_target lab:x86_64-svm
  measured lab:x86_64-svm msi_inject,eoi,self_ipi,tsc_deadline,irq_inject,dirty_log_start_2m,dirty_log_stop_2m \
    default,vm-qemu-microvm,vm-cloud-hypervisor,irqchip-user --boots 1 --events 20
  for config in vm-qemu-microvm vm-cloud-hypervisor; do
    for row in msi_inject eoi self_ipi tsc_deadline dirty_log_start_2m dirty_log_stop_2m; do
      holds doc.json "b('$row', '$config')['status'] == 'ok'"
    done
    skipped irq_inject "$config" 'in-kernel interrupt controller'
  done
  holds doc.json 'value("eoi", "vm-cloud-hypervisor") == value("eoi", "default")' \
    'abs(value("msi_inject", "vm-qemu-microvm") / value("msi_inject", "default") - 1) < 0.1' \
    'value("dirty_log_start_2m", "vm-qemu-microvm") < value("dirty_log_start_2m", "default") / 5'
  for row in msi_inject eoi self_ipi tsc_deadline; do
    skipped "$row" irqchip-user 'in-kernel interrupt controller'
  done
  nothing_left doc.json
}

# The clock advances while the CPU is idle.
@test "configs: a figure that includes waits has no ratio, on SVM" {
  need_target lab:x86_64-svm
  measured lab:x86_64-svm vm_create,memslot_delete default,set-pit --boots 1 --events 5
  holds doc.json 'value("vm_create", "set-pit", "waits") > value("vm_create", "default", "waits") > 0' \
    '"waits" not in {x["name"] for x in b("memslot_delete", "default")["metrics"]}'
  grep -Eq '^memslot_delete \[set-pit\] .*x\)' <<<"$stdout"
  grep -Eq '^vm_create \[set-pit\] .* \[[0-9]+\] *$' <<<"$stdout"
  grep -q 'waits of an event, in which the clock may advance' <<<"$stdout"
}

@test "effects.sh: the functions behind the difference of a config" {
  local effects=$top/scripts/effects.sh
  need_target lab:aarch64-vhe
  [ -x "$effects" ] || skip "not a source tree"
  run_apart "$effects" -o out --on lab:aarch64-vhe --bench hypercall,null default set-pmu set-nisv-to-user
  echo "$stderr$stdout"
  [ "$status" = 0 ]
  # The changes of the functions are the whole difference.
  python3 -c '
import re, sys
row, = [line.split(" | ") for line in sys.argv[1].splitlines() if "`set-pmu`" in line]
assert row[0] == "| `hypercall`" and row[2] == "`set-pmu`", row
changes = re.findall(r"[ (]([-+][0-9,]+)", row[4])
assert int(row[3]) > 0 and sum(int(c.replace(",", "")) for c in changes) == int(row[3]), row
' "$stdout"
  [[ $stdout == *'No difference under any config: `null`.'* ]]
  [[ $stdout == *'Configs without a difference in any benchmark: `set-nisv-to-user`.'* ]]
  run_apart "$effects" -o out --on lab:aarch64-vhe default
  [ "$status" = 2 ]
  refused 2 'out/lab-aarch64-vhe/run.json is of other options' \
    "$effects" -o out --on lab:aarch64-vhe --bench hypercall,null default set-pmu
  refused 2 "no config matches 'nosuch'" "$effects" -o other --on lab:aarch64-vhe default nosuch
  echo text >file
  refused 4 'cannot write to file' "$effects" -o file --on lab:aarch64-vhe default set-pmu
}

@test "effects.sh: a run, or an explanation, that a signal ended is not one that failed" {
  local effects=$top/scripts/effects.sh code step
  [ -x "$effects" ] || skip "not a source tree"
  cat >stand-in <<END
#!/usr/bin/env bash
echo "\$1" >>calls
[ "\$1" != "\$STEP" ] || exit "\$CODE"
exec python3 - "$tests/result_v1.json" "\$@" <<'PY'
import json, sys
base, *argv = sys.argv[1:]
d = json.load(open(base))
d["run"]["argv"] = argv
b = next(b for b in d["benchmarks"] if b["metrics"])
d["benchmarks"] = []
for config, value in ("default", 100), ("set-pmu", 110), ("set-pit", 120):
    b = json.loads(json.dumps(b))
    b.update(name="hypercall", config=config, status="ok", reason=None)
    b["metrics"][0]["name"] = "round_trip"
    b["metrics"][0]["estimate"]["value"] = value
    d["benchmarks"].append(b)
json.dump(d, open(argv[-1], "w"))
PY
END
  chmod +x stand-in
  for step in run explain; do
    for code in 129 130 143 4; do
      rm -rf calls out
      run_apart env WSBENCH="$PWD/stand-in" STEP=$step CODE=$code "$effects" -o out --on lab:aarch64-vhe default set-pmu set-pit
      echo "$step: exit code $status: $stderr"
      [ "$status" = "$code" ]
      [ "$(tail -n 1 calls)" = $step ]
      [ "$(grep -c $step calls)" = 1 ]
      [[ $stderr != *Traceback* ]]
      [ -z "$stderr" ] || [ "$code" = 4 ]
    done
  done
}

@test "effects.sh: Ctrl-C waits for the explanation, which ends by itself" {
  local effects=$top/scripts/effects.sh
  [ -x "$effects" ] || skip "not a source tree"
  mkdir -p out/lab-aarch64-vhe
  cat >stand-in <<'END'
#!/usr/bin/env bash
trap 'sleep 1; touch ended; exit 130' INT
touch begun
for _ in {1..300}; do sleep 0.1; done
END
  chmod +x stand-in
  WSBENCH=$PWD/stand-in python3 - "$tests/result_v1.json" "$effects" -o out --on lab:aarch64-vhe default set-pmu 2>err <<'END'
import json, os, signal, subprocess, sys, time
base, *command = sys.argv[1:]
d = json.load(open(base))
d["run"]["argv"] = ["--bench", "core", "--config", "default,set-pmu"]
row = next(b for b in d["benchmarks"] if b["metrics"])
row.update(name="hypercall", status="ok", reason=None)
row["metrics"][0]["name"] = "round_trip"
d["benchmarks"] = []
for config, value in ("default", 100), ("set-pmu", 110):
    row["config"] = config
    row["metrics"][0]["estimate"]["value"] = value
    d["benchmarks"].append(json.loads(json.dumps(row)))
json.dump(d, open("out/lab-aarch64-vhe/run.json", "w"))
signal.signal(signal.SIGINT, signal.SIG_DFL)
p = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
for _ in range(300):
    if os.path.exists("begun"):
        break
    time.sleep(0.1)
os.killpg(p.pid, signal.SIGINT)
open("code", "w").write(str(p.wait(timeout=60)))
END
  cat code err
  [ "$(cat code)" = 130 ]
  [ -e ended ]
  [ ! -s err ]
}

@test "configs: mitigations are words of the kernel's command line" {
  measured lab:x86_64-svm cpuid,pio_out_user default,mitigations-off,srso-off --boots 1
  holds doc.json 'value("cpuid", "mitigations-off") < value("cpuid", "srso-off") < value("cpuid", "default")' \
    'value("pio_out_user", "mitigations-off") < value("pio_out_user", "srso-off") < value("pio_out_user", "default")' \
    'b("cpuid", "mitigations-off")["exits"]["observed"] == b("cpuid", "default")["exits"]["observed"]'
  # Elsewhere the kernel must have been booted with them.
  grep -qw mitigations=off /proc/cmdline && skip "this kernel has mitigations=off"
  measured kvm null default,mitigations-off --boots 1
  skipped null mitigations-off 'not booted with: mitigations=off'
}

@test "configs: the mediated vPMU, on a machine booted with it, on Linux 7.3" {
  local kernel
  need_target lab:x86_64-vmx
  need_built_bochs
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch x86_64 --suite trixie-backports --series 7.3) ||
    skip "no Linux 7.3 here, and Debian does not offer it"
  measured lab:x86_64-vmx hypercall,rdpmc_general,pmu_overflow_irq default,pmu-off,pmu-emulated,pmu-mediated,pmu-mediated-short \
    --kernel "$kernel/vmlinuz" --boots 1
  # Every exit pays for the switch of the counters, and no other config does.
  holds doc.json 'value("hypercall", "pmu-mediated") > value("hypercall", "pmu-emulated") + 1000' \
    'value("hypercall", "default") == value("hypercall", "pmu-emulated")'
  # An interrupt of a counter arrives without the perf of the host.
  holds doc.json 'value("pmu_overflow_irq", "pmu-mediated") < value("pmu_overflow_irq", "pmu-emulated") / 2'
  # The CPU has four fixed counters, and KVM offers three: RDPMC exits.
  holds doc.json 'b("rdpmc_general", "pmu-mediated")["handled_by"] == "kernel"' \
    'b("rdpmc_general", "pmu-off")["exits"]["faults"] == 50'
  # The parameter alone: the watchdog has one of the counters, and nothing is emulated.
  measured lab:x86_64-vmx hypercall default,pmu-off,pmu-emulated --kernel "$kernel/vmlinuz" \
    --boots 1 --append kvm-intel.enable_mediated_pmu=1
  skipped hypercall default nmi_watchdog=0
  skipped hypercall pmu-emulated 'is mediated (kvm_intel: enable_mediated_pmu=Y)'
  holds doc.json 'b("hypercall", "pmu-off")["status"] == "ok"'
}

# AMD's mediated vPMU needs PerfMonV2.
@test "configs: the mediated vPMU of AMD, on a machine booted with it, on Linux 7.3" {
  local kernel
  need_target lab:x86_64-svm
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch x86_64 --suite trixie-backports --series 7.3) ||
    skip "no Linux 7.3 here, and Debian does not offer it"
  measured lab:x86_64-svm hypercall,rdpmc_general,pmu_overflow_irq,pmu_accuracy_insns_exits \
    pmu-off,pmu-emulated,pmu-mediated,pmu-mediated-short --kernel "$kernel/vmlinuz" --boots 1
  holds doc.json 'value("hypercall", "pmu-mediated") > value("hypercall", "pmu-emulated") + 1000' \
    'value("pmu_overflow_irq", "pmu-mediated") < value("pmu_overflow_irq", "pmu-emulated") / 2'
  # KVM offers all six counters: RDPMC passes through, unless one of them is hidden.
  holds doc.json 'b("rdpmc_general", "pmu-mediated")["handled_by"] == "none"' \
    'b("rdpmc_general", "pmu-mediated-short")["handled_by"] == "kernel"' \
    'b("rdpmc_general", "pmu-off")["exits"]["faults"] == 50'
  # The counters themselves tell guest and host apart.
  for config in pmu-emulated pmu-mediated pmu-mediated-short; do
    holds doc.json "value('pmu_accuracy_insns_exits', '$config', metric='counted') == 20"
  done
}

@test "configs: with a counter offset CNTPCT traps, on Linux 6.12" {
  local kernel
  need_target lab:aarch64-vhe
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch aarch64 --series 6.12) ||
    skip "no Linux 6.12 here, and Debian cannot be reached"
  measured lab:aarch64-vhe cntpct,cntvct,cntp_cval,exit_out default,cntpct-trap \
    --kernel "$kernel/vmlinuz" --boots 1
  holds doc.json 'value("cntpct", "default") == 1 and value("cntvct", "cntpct-trap") == 1'
  # EL2 emulates the read without an exit to KVM's run loop: no exit is counted.
  holds doc.json 'value("cntpct", "cntpct-trap") > 100' \
    'b("cntp_cval", "default")["handled_by"] == "none"' \
    'b("cntp_cval", "cntpct-trap")["handled_by"] == "kernel"'
  skipped exit_out cntpct-trap 'physical counter'
}

@test "configs: the WFI and WFE trap policies, each on a machine booted with it, on Linux 6.12" {
  local kernel
  need_target lab:aarch64-smp
  expected=3 measured lab:aarch64-vhe hypercall wfx-trap
  skipped hypercall wfx-trap 'has no kvm-arm.wfi_trap_policy (Linux 6.11)'
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch aarch64 --series 6.12) ||
    skip "no Linux 6.12 here, and Debian cannot be reached"
  measured lab:aarch64-vhe hypercall,wfi default,wfx-trap,wfx-notrap --boots 1 --kernel "$kernel/vmlinuz"
  holds doc.json 'b("wfi", "wfx-trap")["exits"]["observed"] == b("wfi", "default")["exits"]["observed"] >= 50' \
    'value("hypercall", "wfx-trap") == value("hypercall", "wfx-notrap")'
  skipped wfi wfx-notrap 'does not exit'
  # Without the exit for WFI the IPI costs less; the sender's exits are the same.
  measured lab:aarch64-smp ipi_idle wfx-trap,wfx-notrap --boots 1 --kernel "$kernel/vmlinuz"
  holds doc.json 'all(b("ipi_idle", c)["exits"]["observed"] == 50 for c in ("wfx-trap", "wfx-notrap"))' \
    'value("ipi_idle", "wfx-notrap") < value("ipi_idle", "wfx-trap")'
}

@test "configs: with all registers synced the guest resumes after an exit that the VMM skips" {
  measured lab:aarch64-vhe mmio_read_nisv default,sync-always --boots 1
  holds doc.json 'all(b("mmio_read_nisv", c)["status"] == "ok" for c in ("default", "sync-always"))'
  holds doc.json 'b("mmio_read_nisv", "sync-always")["exits"]["observed"] == 50'
  holds doc.json 'value("mmio_read_nisv", "sync-always") > value("mmio_read_nisv", "default")'
}

@test "clock: the step is measured, and on noisy targets also the pace of the CPU" {
  measured lab:aarch64-vhe null default
  holds doc.json '(d["clock"]["resolution"], d["clock"]["steps_hz"]) == (1, 1000000000)' \
    'd["clock"]["least_difference"] > 1'
  # An exact clock counts instructions: there is no second clock to compare with.
  holds doc.json 'all(x["interference"]["pace_spread"] is None for x in m("null")["boots"])'
  measured kvm null default --boots 6
  holds doc.json 'd["clock"]["resolution"] > 0 and d["clock"]["least_difference"] >= d["clock"]["resolution"]' \
    'd["clock"]["steps_hz"] == d["clock"]["hz"] // d["clock"]["resolution"]' \
    'all(x["interference"]["pace_spread"] >= 0 for x in m("null")["boots"])'
}
