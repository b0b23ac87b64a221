#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Rows whose instruction or request the CPU or KVM skips, or that KVM handles in another way than the row says,
# with as many exits as a row that works: they fail.
bats_require_minimum_version 1.5.0
load helper

# fails TARGET ROW REASON [OPTION...]: the row fails for this reason, an extended regular expression.
fails() {
  need_target "$1"
  run_apart "$wsbench" run --on "$1" --bench "$2" --boots 1 --timeout 20 --quiet -o doc.json "${@:4}"
  echo "$2: exit code $status"
  [ "$status" = 4 ]
  doc doc.json "b('$2')['reason']" | tee /dev/stderr | grep -Eqx "$3"
  holds doc.json "b('$2')['status'] == 'fail'"
}

skipped='the timed instruction changed nothing in the guest: it failed, or was skipped'

# skipped TARGET ROW=EVENTS...: rows by their number in payloads/*/skipped.c.
skipped() {
  local image=$payloads/x86_64/skipped.elf row
  [[ $1 != *aarch64* ]] || image=$payloads/aarch64/skipped.elf
  for row in "${@:2}"; do
    fails "$1" "${row%=*}" "$skipped" --events "${row#*=}" --payload "$image"
  done
}

@test "proof: an instruction that the CPU skips fails its row, x86_64" {
  skipped bare:x86_64-bochs cr0_wp=101 cr4_pge=102 cr8_write=103 xsetbv=104 wrmsr_passthrough=105 apic_tpr=106 eoi=107 \
    tsc_deadline=108 wrmsr_spec_ctrl=110 wrmsr_tsx_ctrl=111 cr3=112 invlpg=113
}

# KVM's shadow of the guest's table differs from the table until KVM is asked to look.
@test "proof: a CR3 write or INVLPG that KVM skips under shadow paging fails its row" {
  local row
  for row in cr3=112 invlpg=113; do
    fails lab:x86_64-svm "${row%=*}" "$skipped" --append kvm_amd.npt=0 --events "${row#*=}" --payload "$payloads/x86_64/skipped.elf"
  done
}

@test "proof: an XSETBV that a CPU without AVX skips fails its row" { skipped bare:x86_64-bochs xsetbv=109; }

@test "proof: an instruction that the CPU skips fails its row, aarch64" {
  skipped bare:aarch64 cntv_cval=101 cntp_cval=102 icc_iar_eoir=103 tlbi=105 eoi=106
}

@test "proof: a write of L1 to HCR_EL2 or VTTBR_EL2 that the CPU skips fails its row" {
  fails bare:aarch64 nested_l1_hcr_el2 "$skipped" --events 101 --payload "$payloads/aarch64/l1_skipped.elf"
  fails bare:aarch64 nested_l1_vttbr_el2 "$skipped" --events 102 --payload "$payloads/aarch64/l1_skipped.elf"
}

@test "proof: a TLBI of L2, or of L1 for L2, that the CPU skips fails its row" {
  fails bare:aarch64 nested_tlbi "$skipped" --events 103 --payload "$payloads/aarch64/l1_skipped.elf"
  fails bare:aarch64 nested_l1_tlbi "$skipped" --events 104 --payload "$payloads/aarch64/l1_skipped.elf"
}

# As many exits, of CPUID.
@test "proof: an exit of L1 that is not of INVLPGA fails its row" {
  fails lab:x86_64-svm nested_l1_invlpga 'expected 48 INVLPGs in 48 events, KVM counted 0 \(invlpg\): 48 exits' \
    --events 48 --payload "$payloads/x86_64/other_exit.elf"
}

@test "proof: an SMC that KVM skips fails its row" { skipped lab:aarch64-vhe smc=104; }

# The same payloads without the fault: all events work.
@test "proof: rows whose instruction is executed do not fail" {
  need_target bare:x86_64-bochs
  run_apart "$wsbench" run --on bare:x86_64-bochs --boots 1 --quiet -o doc.json \
    --bench cr0_wp,cr4_pge,cr8_write,xsetbv,wrmsr_passthrough,apic_tpr,eoi,tsc_deadline,wrmsr_spec_ctrl
  [ "$status" = 0 ]
  holds doc.json 'all(x["status"] == "ok" for x in d["benchmarks"]) and len(d["benchmarks"]) == 9'
}

# KVM does not see the XSETBV of a guest here.
@test "proof: rows whose instruction is executed do not fail, on an SVM that intercepts less" {
  need_target lab:x86_64-svm-qemu
  run_apart "$wsbench" run --on lab:x86_64-svm-qemu --boots 1 --quiet -o doc.json \
    --bench cr0_wp,cr4_pge,cr8_write,xsetbv,wrmsr_passthrough,apic_tpr,eoi,tsc_deadline
  [ "$status" = 0 ]
  holds doc.json 'all(x["status"] == "ok" for x in d["benchmarks"]) and len(d["benchmarks"]) == 8' 'b("xsetbv")["handled_by"] == "none"'
}

@test "proof: rows whose instruction is executed do not fail, on each of two vCPUs" {
  need_target lab:aarch64-smp
  run_apart "$wsbench" run --on lab:aarch64-smp --bench icc_iar_eoir --vcpus 2 --boots 1 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'b("icc_iar_eoir")["status"] == "ok"'
}

# What the payload does with the value of a register that the instruction has read.
@test "proof: neither the clock nor the PMC counts the look at a row's result" {
  need_target bare:x86_64-bochs
  run_apart "$wsbench" run --on bare:x86_64-bochs --bench rdtsc --boots 1 --quiet --payload "$payloads/x86_64/reads.elf" -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'value("rdtsc") == 1 and value("rdtsc", metric="pmc_visible") == 1 and value("rdtsc", metric="pmc_hidden") == 0'
}

# As many exits, and no #GP: the guest reads 0.
@test "proof: rows about #GP are skipped where KVM ignores unknown MSRs" {
  need_target lab:x86_64-svm
  run_apart "$wsbench" run --on lab:x86_64-svm --bench rdmsr_unknown,wrmsr_unknown,aperf_mperf,ud2 --boots 1 --append kvm.ignore_msrs=1 \
    --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[b(x)["status"] for x in ("rdmsr_unknown", "wrmsr_unknown", "aperf_mperf", "ud2")] == ["skip", "skip", "skip", "ok"]' \
    '"ignore_msrs=1" in b("rdmsr_unknown")["reason"]'
}

# gif ROW PAYLOAD DOES: without an APIC in the kernel the VMM sees whether the guest takes interrupts.
gif() {
  fails lab:x86_64-svm "$1" "the timed instruction has no effect: behind it the guest $3 interrupts" \
    --config irqchip-user --payload "$payloads/x86_64/$2.elf"
}

@test "proof: CLGI and STGI that are skipped fail their rows without an APIC in the kernel" {
  gif nested_l1_clgi clgi_skipped takes
  gif nested_l1_stgi stgi_skipped 'does not take'
  run_apart "$wsbench" run --on lab:x86_64-svm --bench nested_l1_clgi,nested_l1_stgi --config irqchip-user --boots 1 -o doc.json
  [ "$status" = 0 ]
}

@test "proof: a guest that does not exit fails the row of the VMM's overhead" {
  local image=$payloads/x86_64/no_exit.elf
  [ "$arch" = x86_64 ] || image=$payloads/aarch64/no_exit.elf
  fails kvm vmm_overhead 'expected an exit to user space of each event' --payload "$image"
}

@test "proof: rows that move registers around an entry are skipped in a loop that moves none" {
  need_target lab:x86_64-svm
  run_apart "$wsbench" run --on lab:x86_64-svm --bench 'state_*' --config loop-bare --boots 1 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[b(x)["status"] for x in ("state_get_all", "state_sync_lazy", "state_sync_always", "state_sync_regs")] == ["ok", "skip", "skip", "skip"]'
}

# A guest that is kicked hangs, and all others have the cost of another config.
@test "proof: KVM_SET_SIGNAL_MASK without an effect fails the rows of kick-signal-mask" {
  need_target kvm
  "$tests/failing_call.py" madvise ENOSYS true || skip "no seccomp filters here"
  local row run
  run=("$wsbench" run --on kvm --bench 'kick_signal,hypercall,pio_out_user,mmio_write_user' --config kick-signal-mask
    --boots 1 --events 20 --timeout 5 --quiet -o doc.json)
  run_apart "${run[@]}"
  [ "$status" = 0 ]
  run_apart "$tests/failing_call.py" 0x4004ae8b 0 "${run[@]}"
  [ "$status" = 4 ]
  holds doc.json "'the guest hung' in b('kick_signal')['reason']" \
    "all('KVM_SET_SIGNAL_MASK' in x['reason'] for x in d['benchmarks'] if x['name'] != 'kick_signal')"
}

# The restored guest does not continue.
@test "proof: checkpoints without the registers fail their rows" {
  need_target kvm
  "$tests/failing_call.py" madvise ENOSYS true || skip "no seccomp filters here"
  local call row run get=0x8090ae81 set=0x4090ae82 # KVM_GET_REGS, KVM_SET_REGS
  # KVM_GET_ONE_REG, KVM_SET_ONE_REG
  [ "$arch" = x86_64 ] || get=0x4010aeab set=0x4010aeac
  run=("$wsbench" run --on kvm --bench 'checkpoint_save,checkpoint_restore' --boots 1 --events 2 --timeout 5 --quiet -o doc.json)
  run_apart "${run[@]}"
  [ "$status" = 0 ]
  for call in $get $set; do
    run_apart "$tests/failing_call.py" "$call" 0 "${run[@]}"
    [ "$status" = 4 ]
    for row in checkpoint_save checkpoint_restore; do
      holds doc.json "b('$row')['status'] == 'fail' and 'the guest hung' in b('$row')['reason']"
    done
  done
}
