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

# floor TARGET: without a KVM below L1, no traps to count; L1 still proves its part.
floor() {
  measured "$1" nested_cpuid
  holds doc.json '4 <= value("nested_cpuid") <= 20' \
    'b("nested_cpuid")["exits"]["observed"] is None' \
    'b("nested_cpuid")["exits"]["l1"] == sum(y["events"] for y in m("nested_cpuid")["boots"]) > 0' \
    '"traps_per_op" not in {x["name"] for x in b("nested_cpuid")["metrics"]}'
}

@test "nested: the floor on bare:x86_64, SVM in QEMU" { floor bare:x86_64; }
@test "nested: the floor on bare:x86_64-bochs, VMX" { floor bare:x86_64-bochs; }
@test "nested: the floor on bare:x86_64-bochs-svm" { floor bare:x86_64-bochs-svm; }
