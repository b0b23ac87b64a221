#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Labs whose KVM is in a guest: Linux as L1, payloads as L2.
bats_require_minimum_version 1.5.0
load helper

# A boot takes 9 to 40 s of CPU.
setup_file() { own_machines; }

# exits ID N: L1's KVM counted one exit per event, and L0's KVM N.
exits() {
  holds doc.json "value('$1', metric='traps_per_op') == $2" \
    "b('$1')['exits']['expected'] == b('$1')['exits']['observed'] == sum(y['events'] for y in m('$1')['boots']) > 0"
}

# explained.json has the total of doc.json: each instruction is of a function, and all of
# L0's are of a trap.
two_levels() {
  [ "$(doc explained.json 'd["total"]')" = "$(doc doc.json 'value("hypercall")' | sed 's/\.0$//')" ]
  holds explained.json 'sum(f["insns"] for f in d["functions"]) == d["total"] + d["clock_insns"]' \
    'not [f for f in d["functions"] if (f["name"].startswith("[") and f["name"] != "[indirect thunk]") or f["layer"].endswith("no symbol")]' \
    'all(f["name"].startswith("L0:") == (f["space"] == "l0") == f["layer"].startswith("L0: ") for f in d["functions"])' \
    '{"kvm_arch_vcpu_ioctl_run", "L0:kvm_arch_vcpu_ioctl_run"} <= {f["name"] for f in d["functions"]}' \
    'sum(t["insns"] for t in d["traps"]) == sum(f["insns"] for f in d["functions"] if f["space"] == "l0")'
}

@test "lab:x86_64-svm-l1: exits of L1's KVM, traps to L0's, exact whatever else is asked for; only by name; explain" {
  need_target lab:x86_64-svm-l1
  "$wsbench" run --quiet --on lab:x86_64-svm-l1 --bench null,hypercall,pio_out_user --boots 1 -o doc.json >out.txt
  exits hypercall 8
  exits pio_out_user 9
  grep -qE '^hypercall +kernel +[0-9,]+ 8 traps$' out.txt
  "$wsbench" show doc.json | tr -s '\n ' ' ' | grep -q 'n traps: exits of one event to the KVM whose guest is a hypervisor\.'
  "$wsbench" show doc.json | tr -s '\n ' ' ' | grep -q "Linux $(doc doc.json 'd["subject"]["kernel"]') in a guest of Linux "
  holds doc.json "d['subject']['kernel_below'] == d['subject']['kernel']" "d['target']['hypervisor'] == 'SVM'" \
    "value('null') == 0" "value('null', metric='traps_per_op') == 0" \
    "b('pio_out_user')['handled_by'] == 'user'" "value('pio_out_user') > value('hypercall') > 15000"
  # Alone, the row is the same to the byte; and of the machine that was saved.
  doc doc.json 'value("hypercall")' >first
  "$wsbench" run --quiet --on lab:x86_64-svm-l1 --bench hypercall --boots 1 -o alone.json >/dev/null
  doc alone.json 'value("hypercall")' | cmp - first
  "$wsbench" explain --quiet --on lab:x86_64-svm-l1 --bench hypercall --events 50 -o explained.json >out.txt
  two_levels
  # L1 executes what a host that is not nested does.
  holds explained.json '1400 < sum(f["insns"] for f in d["functions"] if f["space"] == "kernel") < 1700' \
    '[t["by"] for t in d["traps"]][0] == "vmmcall" and [t["by"] for t in d["traps"]][-1] == "vmrun"' \
    'sum(t["times"] for t in d["traps"]) == 8' \
    '{"svm_vcpu_run", "L0:svm_vcpu_run", "L0:nested_svm_vmexit"} <= {f["name"] for f in d["functions"]}'
  grep -qE '^vmrun +[0-9,]+ +[0-9.]+ % +1 +__svm_vcpu_run$' out.txt
  # Until a second after L1 has enabled its local APIC, L0's KVM looks at each exit whether an APIC is
  # disabled: 12 instructions of this function, not 9. L1 is idle for that long before its first job.
  holds explained.json '0 < sum(f["insns"] for f in d["functions"] if f["name"] == "L0:apic_has_pending_timer") < 8 * 11'
  # An exit of REP OUTSB has a name, and is not an interrupt.
  "$wsbench" explain --quiet --on lab:x86_64-svm-l1 --bench pio_string_user --events 20 -o string.json >out.txt
  holds string.json '{t["by"] for t in d["traps"] if t["name"] == "sample_all"} == {"outs"}' \
    'not {"other", "interrupt"} & {t["by"] for t in d["traps"]}'
  run_apart "$wsbench" run --on 'lab:*-l1' --bench null
  [ "$status" = 2 ]
}

@test "lab:x86_64-svm-l1: --append is for L1, whose panic is quoted; --lab-timeout ends a boot of L1" {
  need_target lab:x86_64-svm-l1
  refused 4 'lab:x86_64-svm-l1: L1'"'"'s kernel crashed: Kernel panic - not syncing: ' \
    "$wsbench" run --on lab:x86_64-svm-l1 --bench null -o doc.json --append mem=87M
  WORLDSWITCH_FRESH_MACHINES=1 refused 4 'lab:x86_64-svm-l1: the run was not done after 1 s (--lab-timeout)' \
    "$wsbench" run --on lab:x86_64-svm-l1 --bench null -o doc.json --lab-timeout 1
  nothing_left
}

# Linux 6.1 as L1 is also what the fast strings of vmm/x86_64/linux.c are for: without them it
# overwrites its memory in its boot.
@test "lab:x86_64-vmx-l1: exits of L1's KVM, traps to L0's, exact whatever else is asked for; explain" {
  need_target lab:x86_64-vmx-l1
  "$wsbench" run --quiet --on lab:x86_64-vmx-l1 --bench null,hypercall,pio_out_user,nested_cpuid,pause_exit --boots 1 --events 50 -o doc.json >/dev/null
  exits hypercall 3
  exits pio_out_user 3
  holds doc.json "d['subject']['kernel_below'] == d['subject']['kernel']" "d['target']['hypervisor'] == 'VMX'" \
    "value('null') == 0" "value('null', metric='traps_per_op') == 0" "b('pio_out_user')['handled_by'] == 'user'" \
    "value('nested_cpuid') > value('pio_out_user') > value('hypercall') > 15000" \
    'b("pause_exit")["reason"].startswith("no PAUSE exits here")'
  doc doc.json 'value("hypercall")' >first
  "$wsbench" run --quiet --on lab:x86_64-vmx-l1 --bench hypercall --boots 1 -o alone.json >/dev/null
  doc alone.json 'value("hypercall")' | cmp - first
  "$wsbench" explain --quiet --on lab:x86_64-vmx-l1 --bench hypercall --events 50 -o explained.json >/dev/null
  two_levels
  holds explained.json '[(t["by"], t["times"]) for t in d["traps"]] == [("vmcall", 1), ("read msr", 1), ("vmresume", 1)]' \
    '{"vmx_vcpu_run", "L0:vmx_vcpu_run", "L0:nested_vmx_vmexit"} <= {f["name"] for f in d["functions"]}'
}

# With the PIT as L1's timer, its first row did not end.
@test "lab:x86_64-vmx-l1: Linux 7.3, whose KVM loses interrupts of its PIC at an entry of L1" {
  local kernel
  need_target lab:x86_64-vmx-l1
  kernel=$("$top/scripts/kernel.sh" fetch --quiet --arch x86_64 --suite trixie-backports --series 7.3) ||
    skip "no Linux 7.3 here, and Debian does not offer it"
  "$wsbench" run --quiet --on lab:x86_64-vmx-l1 --kernel "$kernel/vmlinuz" --bench null,hypercall --boots 1 -o doc.json >/dev/null
  exits hypercall 3
}

@test "lab:aarch64-nested-l1: exits of L1's KVM, traps to L0's, exact whatever else is asked for; --append is for L1" {
  need_target lab:aarch64-nested-l1
  "$wsbench" run --quiet --on lab:aarch64-nested-l1 --bench null,hypercall,mmio_read_user,pmccntr --boots 1 -o doc.json >out.txt
  exits hypercall 6
  holds doc.json "d['subject']['kernel_below'] == d['subject']['kernel']" "d['target']['hypervisor'] == 'arm64 VHE'" \
    "value('null') == 0" "value('null', metric='traps_per_op') == 0" \
    "b('mmio_read_user')['handled_by'] == 'user'" "value('mmio_read_user') > value('hypercall') > 40000" \
    "b('pmccntr', 'pmu-emulated')['exits']['observed'] > 0" \
    'not [x["name"] for x in d["benchmarks"] if x["status"] == "fail"]'
  doc doc.json 'value("hypercall")' >first
  "$wsbench" run --quiet --on lab:aarch64-nested-l1 --bench hypercall --boots 1 -o alone.json >/dev/null
  doc alone.json 'value("hypercall")' | cmp - first
  # Another boot has the figure of the first.
  WORLDSWITCH_FRESH_MACHINES=1 "$wsbench" run --quiet --on lab:aarch64-nested-l1 --bench hypercall --boots 1 -o again.json >/dev/null
  doc again.json 'value("hypercall")' | cmp - first
  # Of L1's kernel: L0 with so little memory could not hold L1.
  "$wsbench" run --quiet --on lab:aarch64-nested-l1 --bench null --append mem=100M -o small.json >/dev/null
}

@test "lab:aarch64-nested-l1: explain names the functions of L0 and of L1, and what traps" {
  need_target lab:aarch64-nested-l1
  "$wsbench" run --quiet --on lab:aarch64-nested-l1 --bench hypercall --boots 1 --events 50 -o doc.json >/dev/null
  "$wsbench" explain --quiet --on lab:aarch64-nested-l1 --bench hypercall --events 50 --kinds -o explained.json >out.txt
  two_levels
  holds explained.json '0 < sum(f["insns"] for f in d["functions"] if f["space"] == "kernel") < 3000' \
    '[(t["by"], t["space"]) for t in d["traps"]][0] == ("hvc", "guest")' \
    '("eret", "__guest_enter") == (d["traps"][-1]["by"], d["traps"][-1]["name"])' \
    '"read ich_misr_el2" in [t["by"] for t in d["traps"]]' \
    'any(s["frames"][-1].startswith("L0:") and "__guest_enter" in s["frames"] for s in d["stacks"])'
  grep -qE '^hvc +[0-9,]+ +[0-9.]+ % +1 +sample_all$' out.txt
  "$wsbench" explain explained.json --folded >folded
  [ "$(awk '{ n += $NF } END { print n }' folded)" = "$(doc explained.json 'd["total"]')" ]
}

@test "lab:aarch64-nested-l1: more boots than L0's KVM has shadow tables for" {
  need_target lab:aarch64-nested-l1
  "$wsbench" run --quiet --on lab:aarch64-nested-l1 --bench null --boots 9 -o doc.json >out.txt
  holds doc.json "value('null') == 0" "len(m('null')['boots']) == 9"
}

@test "labs: the word that tells the agent that it is in L1 is not for --append" {
  local command
  need_target lab:aarch64-vhe
  for command in run explain; do
    refused 2 "--append: worldswitch.l0= is set by labs with an L1" \
      "$wsbench" $command --on lab:aarch64-vhe --bench hypercall -o doc.json --append 'quiet worldswitch.l0=6.1'
  done
  nothing_left
}
