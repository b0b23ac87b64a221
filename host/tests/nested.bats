#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Payloads that are hypervisors themselves: their guest's exits, KVM's exits, the floor.
bats_require_minimum_version 1.5.0
load helper

# measured TARGET BENCHES [OPTION...]: runs into doc.json.
measured() {
  need_target "$1"
  run_apart "$wsbench" run --on "$1" --bench "$2" -o doc.json "${@:3}"
  echo "$stderr"
  [ "$status" = 0 ]
}

# traps BENCH N: L1 counted one exit per event, and KVM (L0) N.
traps() {
  holds doc.json "value('$1', metric='traps_per_op') == $2" \
    "m('$1', metric='traps_per_op')['unit'] == 'traps'" \
    "b('$1')['exits']['l1'] == sum(y['events'] for y in m('$1')['boots']) > 0" \
    "b('$1')['exits']['observed'] == $2 * b('$1')['exits']['l1']" \
    "value('$1') > 2 * value('cpuid')"
}

# twice LAB: a second run has the same estimates.
twice() {
  measured "lab:$1" cpuid,nested_cpuid
  traps nested_cpuid 2
  [[ $stdout == *" 2 traps"* ]]
  benchmarks_text doc.json >first
  "$wsbench" run --on "lab:$1" --bench cpuid,nested_cpuid -o doc.json >/dev/null 2>&1 </dev/null
  benchmarks_text doc.json | cmp - first
}

@test "nested: CPUID of L2 on SVM is two exits to KVM and one to L1, exact twice" { twice x86_64-svm; }
@test "nested: CPUID of L2 on SVM in QEMU is two exits to KVM and one to L1, exact twice" { twice x86_64-svm-qemu; }
@test "nested: CPUID of L2 on VMX is two exits to KVM and one to L1, exact twice" { twice x86_64-vmx; }

# all_rows LAB VENDOR: every row of the group is proven, or is about the other vendor's CPUs.
all_rows() {
  measured "lab:$1" 'cpuid,nested_*' --events 50 --boots 1
  holds doc.json 'not [x["name"] for x in d["benchmarks"] if x["status"] == "fail"]' \
    "{x['name'] for x in d['benchmarks'] if x['status'] == 'skip'} <=
      {'nested_l1_' + x for x in ('$2').split()}"
  for row in nested_hypercall nested_pio nested_mmio nested_msr nested_page_fault_shadow; do
    traps $row 2
  done
  # L1 does not see the fault of L0's tables.
  holds doc.json 'b("nested_page_fault_l0")["exits"]["l1"] == 0' \
    'value("nested_page_fault_l0", metric="traps_per_op") == 1' \
    'value("nested_page_fault", metric="traps_per_op") >= 3' \
    'value("nested_irq", metric="traps_per_op") >= 2' \
    'value("nested_cpuid_as_kvm") > value("nested_cpuid")'
}

svm='vmrun vmload vmsave clgi stgi invlpga'
vmx='vmread vmwrite vmptrld vmresume vmlaunch invept'

@test "nested: all rows on SVM" {
  all_rows x86_64-svm "$vmx"
  # Four instructions more that exit; without a virtual GIF, CLGI and STGI, too.
  holds doc.json 'value("nested_cpuid_as_kvm", metric="traps_per_op") == 7' \
    'value("nested_l1_vmrun", metric="traps_per_op") == 2' \
    'value("nested_l1_vmload", metric="traps_per_op") == 1'
}

@test "nested: all rows on SVM in QEMU, which has a virtual GIF" {
  all_rows x86_64-svm-qemu "$vmx"
  holds doc.json 'value("nested_cpuid_as_kvm", metric="traps_per_op") == 5' \
    'value("nested_l1_clgi", metric="traps_per_op") == 0' \
    'b("nested_l1_clgi")["handled_by"] == "none"'
}

@test "nested: all rows on VMX, with VMCS shadowing" {
  all_rows x86_64-vmx "$svm"
  holds doc.json 'value("nested_cpuid_as_kvm", metric="traps_per_op") == 2' \
    'value("nested_l1_vmread", metric="traps_per_op") == 0' \
    'value("nested_l1_vmresume", metric="traps_per_op") == 2' \
    'value("nested_l1_vmlaunch", metric="traps_per_op") == 4'
}

# floor TARGET VENDOR: without a KVM below L1 there are no traps to count; L1 still proves
# its part.
floor() {
  measured "$1" 'nested_*'
  holds doc.json '4 <= value("nested_cpuid") <= 20' \
    'all(value(x["name"]) <= 30 for x in d["benchmarks"] if x["status"] == "ok")' \
    'not [x["name"] for x in d["benchmarks"] if x["status"] == "fail"]' \
    "{x['name'] for x in d['benchmarks'] if x['status'] == 'skip'} ==
      {'nested_l1_' + x for x in ('$2').split()}" \
    'b("nested_cpuid")["exits"]["observed"] is None' \
    'b("nested_cpuid")["exits"]["l1"] == sum(y["events"] for y in m("nested_cpuid")["boots"]) > 0' \
    'not [x for x in d["benchmarks"] for y in x["metrics"] if y["name"] == "traps_per_op"]'
}

@test "nested: the floor on bare:x86_64, SVM in QEMU" { floor bare:x86_64 "$vmx"; }
@test "nested: the floor on bare:x86_64-bochs, VMX" { floor bare:x86_64-bochs "$svm"; }
@test "nested: the floor on bare:x86_64-bochs-svm" { floor bare:x86_64-bochs-svm "$vmx"; }

@test "nested: a software KVM skips the rows, and says why" {
  need_target kvm
  [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ] || skip "a hardware KVM"
  measured kvm nested_cpuid,cpuid --boots 1 --events 10
  holds doc.json 'b("nested_cpuid")["status"] == "skip"' \
    '"software KVM" in b("nested_cpuid")["reason"]'
}
