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
  measured "lab:$1" cpuid,nested_cpuid --boots 1
  traps nested_cpuid 2
  [[ $stdout == *" 2 traps"* ]]
  benchmarks_text doc.json >first
  "$wsbench" run --on "lab:$1" --bench cpuid,nested_cpuid --boots 1 -o doc.json >/dev/null 2>&1 </dev/null
  benchmarks_text doc.json | cmp - first
}

@test "nested: CPUID of L2 on SVM is two exits to KVM and one to L1, exact twice" { twice x86_64-svm; }
@test "nested: CPUID of L2 on SVM in QEMU is two exits to KVM and one to L1, exact twice" { twice x86_64-svm-qemu; }
@test "nested: CPUID of L2 on VMX is two exits to KVM and one to L1, exact twice" { twice x86_64-vmx; }

@test "nested: instructions of SVM need no local APIC in the kernel" {
  measured lab:x86_64-svm nested_l1_vmload,eoi --config irqchip-user --boots 1
  holds doc.json "b('nested_l1_vmload')['status'] == 'ok'" "b('eoi')['status'] == 'skip'"
}

# all_rows LAB ROWS OTHER: every row of the group is proven, or is one of ROWS, about the
# CPUs of the OTHER vendor.
all_rows() {
  measured "lab:$1" 'cpuid,nested_*' --events 50 --boots 1
  holds doc.json 'not [x["name"] for x in d["benchmarks"] if x["status"] == "fail"]' \
    "{x['name'] for x in d['benchmarks'] if x['status'] == 'skip'} <=
      {'nested_l1_' + x for x in ('$2').split()}" \
    "all(re.fullmatch('needs a CPU that offers the payload $3', x['reason'])
      for x in d['benchmarks'] if x['status'] == 'skip')"
  for row in nested_hypercall nested_pio nested_mmio nested_msr nested_page_fault_shadow; do
    traps $row 2
  done
  # L1 does not see the fault of L0's tables.
  holds doc.json 'b("nested_page_fault_l0")["exits"]["l1"] == 0' \
    'value("nested_page_fault_l0", metric="traps_per_op") == 1' \
    'value("nested_page_fault_l0") == value("nested_page_fault_l0", metric="round_trip_batch")' \
    '[x["summary"][y] for x in m("nested_page_fault_l0")["boots"] for y in ("min", "p75")] ==
      2 * [value("nested_page_fault_l0")]' \
    'value("nested_page_fault", metric="traps_per_op") >= 3' \
    '[x["summary"][y] for x in m("nested_page_fault")["boots"] for y in ("min", "p75")] ==
      2 * [value("nested_page_fault")]' \
    'value("nested_irq", metric="traps_per_op") >= 2'
}

svm='vmrun vmload vmsave clgi stgi invlpga'
vmx='vmread vmwrite vmptrld vmresume vmlaunch invept'

@test "nested: all rows on SVM" {
  all_rows x86_64-svm "$vmx" "VMX( with nested paging)?"
  # Five instructions of L1 that exit: CLGI, STGI, two VMLOADs, VMSAVE.
  holds doc.json 'value("nested_cpuid_as_kvm") > 2 * value("nested_cpuid")' \
    'value("nested_cpuid_as_kvm", metric="traps_per_op") == 7' \
    'value("nested_l1_vmrun", metric="traps_per_op") == 2' \
    'value("nested_l1_vmload", metric="traps_per_op") == 1'
}

@test "nested: all rows on SVM in QEMU, which has a virtual GIF" {
  all_rows x86_64-svm-qemu "$vmx" "VMX( with nested paging)?"
  holds doc.json 'value("nested_cpuid_as_kvm", metric="traps_per_op") == 5' \
    'value("nested_l1_clgi", metric="traps_per_op") == 0' \
    'b("nested_l1_clgi")["handled_by"] == "none"'
}

@test "nested: all rows on VMX, with VMCS shadowing" {
  all_rows x86_64-vmx "$svm" SVM
  # KVM as L1 sets "unrestricted guest", and L0 need not check the segments of L2.
  holds doc.json 'value("nested_cpuid_as_kvm") < value("nested_cpuid")' \
    'value("nested_cpuid_as_kvm", metric="traps_per_op") == 2' \
    'value("nested_l1_vmread", metric="traps_per_op") == 0' \
    'value("nested_l1_vmresume", metric="traps_per_op") == 2' \
    'value("nested_l1_vmlaunch", metric="traps_per_op") == 4' \
    '[x["summary"][y] for x in m("nested_l1_vmptrld")["boots"] for y in ("min", "p75")] ==
      2 * [value("nested_l1_vmptrld")]'
}

@test "nested: configs on VMX: no virtualization, no VMCS shadowing, no nested paging" {
  measured lab:x86_64-vmx nested_cpuid,nested_mmio,nested_l1_vmread --boots 1 \
    --config default,nested-off,vmcs-shadowing-off,nested-paging-off
  holds doc.json 'b("nested_cpuid", "nested-off")["status"] == "skip"' \
    '"nested=0" in b("nested_cpuid", "nested-off")["reason"]' \
    'value("nested_l1_vmread", "vmcs-shadowing-off", "traps_per_op") == 1' \
    'value("nested_cpuid", "vmcs-shadowing-off", "traps_per_op") == 5' \
    'value("nested_cpuid", "vmcs-shadowing-off") > value("nested_cpuid", "default")' \
    'value("nested_cpuid", "nested-paging-off", "traps_per_op") == 2' \
    'b("nested_mmio", "nested-paging-off")["status"] == "skip"' \
    'b("nested_mmio", "nested-paging-off")["reason"] ==
      "needs a CPU that offers the payload SVM or VMX with nested paging"'
}

# L1 executes no VMPTRLD: had KVM not found the page, VMLAUNCH would fail.
@test "nested: an enlightened VMCS on VMX: no exits for VMREAD and VMWRITE" {
  measured lab:x86_64-vmx nested_cpuid,nested_cpuid_as_kvm,nested_irq,nested_l1_vmread \
    --boots 1 --append kvm-intel.enable_shadow_vmcs=0 --config default,nested-evmcs
  holds doc.json 'value("nested_cpuid", "default", "traps_per_op") == 5' \
    'value("nested_cpuid", "nested-evmcs", "traps_per_op") == 2' \
    'value("nested_cpuid_as_kvm", "default", "traps_per_op") == 9' \
    'value("nested_cpuid_as_kvm", "nested-evmcs", "traps_per_op") == 2' \
    'value("nested_irq", "nested-evmcs", "traps_per_op") == 2' \
    'value("nested_cpuid", "nested-evmcs") < value("nested_cpuid", "default")' \
    'value("nested_l1_vmread", "default", "traps_per_op") == 1' \
    '"enlightened" in b("nested_l1_vmread", "nested-evmcs")["reason"]'
}

@test "nested: configs on SVM: no virtualization, no nested paging" {
  measured lab:x86_64-svm nested_cpuid,hypercall --boots 1 \
    --config default,nested-off,vmcs-shadowing-off,nested-evmcs,nested-paging-off
  holds doc.json '"nested=0" in b("nested_cpuid", "nested-off")["reason"]' \
    'value("hypercall", "nested-off") == value("hypercall", "default")' \
    '"kvm_amd has no parameter" in b("nested_cpuid", "vmcs-shadowing-off")["reason"]' \
    '"KVM_CAP_HYPERV_ENLIGHTENED_VMCS" in b("nested_cpuid", "nested-evmcs")["reason"]' \
    'value("nested_cpuid", "nested-paging-off") > value("nested_cpuid", "default")'
}

# The explanation of a row of L2 has the same total as the run.
@test "nested: explain follows L2, L1 and KVM" {
  need_target lab:x86_64-svm
  run_apart "$wsbench" explain --on lab:x86_64-svm --bench nested_cpuid --events 50 --format json
  [ "$status" = 0 ]
  printf '%s\n' "$stdout" >explained.json
  measured lab:x86_64-svm nested_cpuid --boots 1
  "$python" - <<'END_CHECK'
import json
e, d = json.load(open("explained.json")), json.load(open("doc.json"))
run = next(m for m in d["benchmarks"][0]["metrics"] if m["name"] == "round_trip")
assert e["round_trip"] == run["estimate"]["value"], (e["round_trip"], run)
names = {f["name"] for f in e["functions"]}
assert {"nested_svm_vmrun", "nested_svm_vmexit"} <= names, names
END_CHECK
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

# stops TARGET ROW PAYLOAD CAUSE: an exit of L2 that is not the row's fails the row with the
# cause. PAYLOAD is in place of the row's own.
stops() {
  need_target "$1"
  run_apart "$wsbench" run --on "$1" --bench "$2" --boots 1 --timeout 20 \
    --payload "$payloads/$3.elf" -o doc.json
  [ "$status" = 4 ]
  holds doc.json "b('$2')['status'] == 'fail'" \
    "re.match('L2 exited to L1 for another reason than the row.s in the $4', b('$2')['reason']) is not None"
}

@test "nested: VMRUN that SVM refuses is not an exit of L2" {
  stops bare:x86_64 nested_l1_vmrun x86_64/vmrun_invalid 'empty batch phase: 0xffffffff,'
}
@test "nested: VMLAUNCH that VMX refuses is not an exit of L2" {
  stops bare:x86_64-bochs nested_l1_vmlaunch x86_64/vmlaunch_invalid 'empty batch phase: 0x80000021,'
}
@test "nested: an entry of VMX that fails without an exit fails the row, with the error" {
  local row payload
  need_target bare:x86_64-bochs
  while read -r row payload; do
    run_apart "$wsbench" run --on bare:x86_64-bochs --bench "$row" --boots 1 --timeout 20 \
      --payload "$payloads/x86_64/$payload.elf" -o doc.json
    [ "$status" = 4 ]
    holds doc.json "b('$row')['status'] == 'fail'" \
      "'VMLAUNCH or VMRESUME of L1 failed' in b('$row')['reason']" \
      "b('$row')['reason'].endswith('VM-instruction error 8')" # the host's state
  done <<'END'
nested_cpuid vmlaunch_fails
nested_l1_vmlaunch vmlaunch_event_fails
nested_l1_vmresume vmresume_setup_fails
END
}

# without_effect TARGET ROW PAYLOAD: an instruction of L1 that fails or is skipped fails its row. Its
# exits are those of one that works, if it has any.
without_effect() {
  need_target "$1"
  run_apart "$wsbench" run --on "$1" --bench "$2" --boots 1 --timeout 20 \
    --payload "$payloads/$3.elf" -o doc.json
  [ "$status" = 4 ]
  holds doc.json "b('$2')['status'] == 'fail'" \
    "b('$2')['reason'] == 'the timed instruction changed nothing in the guest: it failed, or was skipped'"
}

@test "nested: an instruction of L1 on SVM that is skipped" {
  for insn in vmload vmsave clgi stgi; do
    without_effect bare:x86_64-bochs-svm nested_l1_$insn x86_64/${insn}_skipped
  done
}
@test "nested: an instruction of L1 on VMX that fails, or is skipped" {
  without_effect bare:x86_64-bochs nested_l1_vmwrite x86_64/vmwrite_skipped
  without_effect bare:x86_64-bochs nested_l1_vmread x86_64/vmread_skipped
  for insn in vmread vmptrld invept; do
    without_effect bare:x86_64-bochs nested_l1_$insn x86_64/${insn}_fails
  done
}
@test "nested: below KVM, a VMREAD of L1 that fails, or is skipped, has no exit, and fails the row" {
  without_effect lab:x86_64-vmx nested_l1_vmread x86_64/vmread_fails
  without_effect lab:x86_64-vmx nested_l1_vmread x86_64/vmread_skipped
}
@test "nested: below KVM, an SMC of L1 that calls another function than PSCI_VERSION fails the row" {
  without_effect lab:aarch64-nested nested_l1_smc aarch64/smc_unknown
}
@test "nested: below KVM, an ERET of L1 that does not trap fails the row" {
  need_target lab:aarch64-nested
  run_apart "$wsbench" run --on lab:aarch64-nested --bench nested_l1_eret_self --boots 1 --events 20 \
    --payload "$payloads/aarch64/eret_skipped.elf" -o doc.json
  [ "$status" = 4 ]
  holds doc.json '"expected a trap that KVM does not count" in b("nested_l1_eret_self")["reason"]'
}
@test "nested: on aarch64 the first exit of L2 is the row's, and all others have its cause" {
  stops bare:aarch64 nested_hvc aarch64/l2_wfi 'warm-up phase: 0x400, 0x[67]e00000 '
  run_apart "$wsbench" run --on bare:aarch64 --bench nested_hvc --boots 1 \
    --payload "$payloads/aarch64/l2_other_hvc.elf" -o doc.json
  [ "$status" = 4 ]
  holds doc.json '"an exit of L2 to L1 in the warm-up phase has another cause than the first one" in b("nested_hvc")["reason"]'
}

# More bodies than the tables that KVM keeps by default have pages: it dropped tables that the
# events need, and the row failed. More bodies than the window's RAM has pages: an entry of a page that
# no other maps cost 13 less.
@test "nested: faults of L0's tables are alike, however many events" {
  measured lab:x86_64-svm nested_page_fault_l0 --boots 1 --events 20
  local few
  few=$(doc doc.json 'value("nested_page_fault_l0")')
  measured lab:x86_64-svm nested_page_fault_l0 --boots 1 --events 3000
  holds doc.json "value('nested_page_fault_l0') == $few"
  holds doc.json 'value("nested_page_fault_l0", metric="traps_per_op") == 1' \
    '[x["summary"][y] for x in m("nested_page_fault_l0")["boots"] for y in ("min", "p75")] ==
      2 * [value("nested_page_fault_l0")]' \
    'all(x["summary"]["max"] < 100000 for x in m("nested_page_fault_l0")["boots"])'
}

@test "nested: more events than the window has pages" {
  need_target bare:x86_64
  "$wsbench" run --quiet --on bare:x86_64 --bench nested_page_fault_l0,nested_cpuid --boots 1 \
    --events 20000 -o doc.json >/dev/null
  holds doc.json 'b("nested_cpuid")["status"] == "ok"' \
    'b("nested_page_fault_l0")["status"] == "skip"' \
    '"too many events" in b("nested_page_fault_l0")["reason"]'
}

@test "nested: a software KVM skips the rows, and says why" {
  need_target kvm
  [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ] || skip "a hardware KVM"
  measured kvm nested_cpuid,cpuid --boots 1 --events 10
  holds doc.json 'b("nested_cpuid")["status"] == "skip"' \
    '"software KVM" in b("nested_cpuid")["reason"]'
}

@test "lab:aarch64-nested: without a new QEMU or a new kernel, one line names the command that fetches it" {
  local run=("$wsbench" run --on lab:aarch64-nested --bench null -o doc.json) program=qemu-system-aarch64
  mkdir old new
  printf '#!/bin/sh\necho QEMU emulator version 8.2.0\n' >old/$program
  printf '#!/bin/sh\necho QEMU emulator version 9.0.0\n' >new/$program
  chmod 755 old/$program new/$program
  refused 2 "--emulator $PWD/old: this lab needs QEMU 9 or newer" "${run[@]}" --emulator "$PWD/old"
  export WORLDSWITCH_EMULATORS=$PWD/none WORLDSWITCH_CACHE=$PWD/cache path=$PATH
  PATH=$PWD/old:$path refused 4 "lab:aarch64-nested: no QEMU 9 or newer is here (scripts/emulator.sh fetch qemu --suite trixie-backports)" "${run[@]}"
  # The kernel of the other labs is too old.
  mkdir -p cache/kernels/aarch64/6.12.113+deb12-cloud-arm64
  touch cache/kernels/aarch64/6.12.113+deb12-cloud-arm64/vmlinuz
  PATH=$PWD/new:$path refused 4 "lab:aarch64-nested: no kernel of Linux 6.16 or newer for aarch64 is cached (wsbench kernel fetch --arch aarch64 " "${run[@]}"
}

@test "lab:aarch64-nested: is KVM for guests with an EL2, exact, and only by name; the total of explain equals the figure" {
  need_target lab:aarch64-nested
  "$wsbench" run --quiet --on lab:aarch64-nested --bench hypercall --boots 1 -o doc.json >/dev/null
  document=doc.json
  holds doc.json "d['target']['hypervisor'] == 'arm64 VHE, nested'" 'd["target"]["exact"]' \
    'b("hypercall")["handled_by"] == "kernel"'
  "$wsbench" explain --on lab:aarch64-nested --bench hypercall -o explained.json >/dev/null
  "$python" "$tests/subsets.py" total doc.json hypercall default explained.json
  run_apart "$wsbench" run --on 'lab:*-nested' --bench null
  [ "$status" = 2 ]
}

# The rows of aarch64: ID TRAPS FLOOR; "-": needs a hypervisor.
arm_rows() {
  cat <<END
nested_hvc 2 4
nested_hvc_as_kvm 2 17
nested_trap_sysreg 2 9
nested_mmio 2 8
nested_smc_l0 1 -
nested_tlbi 0 4
nested_l1_smc 1 -
nested_l1_eret_self 0 5
nested_l1_tlbi 1 4
nested_l1_hcr_el2 0 2
nested_l1_vttbr_el2 0 2
END
}

@test "nested: EL2 of lab:aarch64-nested, traps of each row, exact twice; the total of explain equals the figure" {
  # Of the two boots of a clone the first is the figure: one suffices, in a lab that is slow.
  measured lab:aarch64-nested 'id_register,nested_*' --boots 1 --events 50
  local id traps floor
  while read -r id traps floor; do
    holds doc.json "value('$id', metric='traps_per_op') == $traps" \
      "b('$id')['exits']['observed'] == $traps * sum(y['events'] for y in m('$id')['boots'])" \
      "b('$id')['exits']['l1'] == (sum(y['events'] for y in m('$id')['boots']) if $traps == 2 else 0)"
  done < <(arm_rows)
  holds doc.json 'value("nested_hvc_as_kvm") > value("nested_hvc") > 4 * value("id_register")' \
    'value("nested_l1_hcr_el2") == value("nested_l1_hcr_el2", metric="twin")'
  # A row takes 5 s of CPU: an exit of L1, an exit of L2 and an exit without nesting are measured again.
  local again=nested_l1_smc,nested_hvc,id_register
  WORLDSWITCH_FRESH_MACHINES=1 "$wsbench" run --on lab:aarch64-nested --bench $again --boots 1 --events 50 -o again.json >/dev/null 2>&1 </dev/null
  "$python" "$tests/subsets.py" compare doc.json again.json
  holds again.json 'len(d["benchmarks"]) == 3 and all(x["status"] == "ok" for x in d["benchmarks"])'
  "$wsbench" explain --on lab:aarch64-nested --bench nested_hvc --events 50 -o explained.json >/dev/null
  "$python" "$tests/subsets.py" total doc.json nested_hvc default explained.json
}

@test "nested: the floor on bare:aarch64, at EL2" {
  measured bare:aarch64 'nested_*'
  local id traps floor
  while read -r id traps floor; do
    if [ "$floor" = - ]; then
      holds doc.json "b('$id')['status'] == 'skip'"
    else
      holds doc.json "value('$id') == $floor" \
        "b('$id')['exits']['l1'] == (sum(y['events'] for y in m('$id')['boots']) if $traps == 2 else 0)"
    fi
  done < <(arm_rows)
}

@test "nested: floor, KVM and nested side by side: show --floor, a picture, a section of the report" {
  need_target lab:aarch64-nested
  "$wsbench" run --quiet --on bare:aarch64,lab:aarch64-nested --bench hypercall,nested_hvc --boots 1 -o docs/ >/dev/null
  local kvm nested
  kvm=$(doc docs/lab-aarch64-nested.json 'format(int(value("hypercall")), ",")')
  nested=$(doc docs/lab-aarch64-nested.json 'format(int(value("nested_hvc")), ",")')
  "$wsbench" show docs --floor --markdown >floor.md
  grep -qE "^\\| nested.?_hvc \\| hypercall \\| lab:aarch64-nested \\| 4 \\| $kvm \\| [0-9]+x \\| $nested \\| [0-9]+x \\| 2 \\|" floor.md
  COLUMNS=80 "$wsbench" show docs --floor | cat >floor.txt
  [ "$(wc -L <floor.txt)" -le 80 ]
  grep -qx lab:aarch64-nested floor.txt
  grep -qE "^nested_hvc +hypercall +4 +$kvm " floor.txt
  [ "$("$wsbench" plot --kind floor docs -o docs)" = $'docs/floor-aarch64.svg\ndocs/floor-aarch64.png' ]
  run ! grep -q 'no document of the bare machine' docs/floor-aarch64.svg
  "$wsbench" plot --kind floor docs/lab-aarch64-nested.json -o alone
  grep -q 'no document of the bare machine' alone/floor-aarch64.svg
  "$wsbench" report docs -o docs >/dev/null
  grep -q '<section id="floor">' docs/report.html
  grep -q ">$nested<" docs/report.html
  refused 2 "--floor: no document" "$wsbench" show docs/bare-aarch64.json --floor
  refused 2 "--floor: a table of its own" "$wsbench" show docs --floor --csv
}

@test "nested: without an EL2 for guests, the rows are skipped with the reason" {
  measured lab:aarch64-vhe nested_hvc,null
  holds doc.json 'b("nested_hvc")["status"] == "skip" and "offers its guests no EL2" in b("nested_hvc")["reason"]'
}
