#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Rows about memory slots, doorbells, messages and the switch between VMs: exact in labs, and
# each proven by what the guest sees.
bats_require_minimum_version 1.5.0
load helper

rows=dirty_log_get,dirty_log_clear,dirty_log_start_2m,dirty_log_stop_2m
rows+=,memslot_create,memslot_move,memslot_delete,pre_fault_memory
rows+=,fault_first_touch_4k,fault_userfaultfd,fault_guest_memfd
rows+=,irq_inject,msi_inject,its_lpi_stream,vm_switch,vm_stay
rows+=,fault_private_4k,memory_to_private,memory_attributes_shared
rows+=,invd,mmio_write_ioeventfd,mmio_write_ioeventfd_any,pio_ioeventfd,pio_ioeventfd_any

# measured LAB [OPTION...]: runs the rows, and then every other one of them, in another order and
# beside another row. Figures and exits are equal. The day says whether the even or the odd ones
# ($WS_PARITY repeats a day); with few rows or WS_ALL=1, all are measured again.
measured() {
  local lab=$1 again=$rows
  shift
  local parity=${WS_PARITY:-$((10#$(date +%j) % 2))}
  if [ -z "${WS_ALL:-}" ] && [[ $rows == *,*,*,*,*,*,*,*,* ]]; then
    echo "measured again: WS_PARITY=$parity"
    again=$(tr , '\n' <<<"$rows" | awk -v parity="$parity" 'NR % 2 == parity' | paste -sd ,)
  fi
  need_target "lab:$lab"
  run_apart "$wsbench" run --on "lab:$lab" --bench "$rows" --boots 1 --events 40 --quiet "$@" -o 1.json
  [ "$status" = 0 ]
  run_apart "$wsbench" run --on "lab:$lab" --bench "hypercall,$again" --boots 1 --events 40 --seed 7 --quiet "$@" -o 2.json
  [ "$status" = 0 ]
  python3 -c 'import json, sys
one, two = ({b["name"]: (b["status"], b["exits"], [(m["name"], m["estimate"]["value"]) for m in b["metrics"]])
             for b in json.load(open(f))["benchmarks"]} for f in ("1.json", "2.json"))
del two["hypercall"]
assert two and 2 * len(two) >= len(one) - 1, (len(one), len(two))
for name in two:
    print(name, one[name], two[name])
    assert one[name] == two[name]
assert all(status in ("ok", "skip") for status, *_ in one.values())'
}

# What holds on every lab.
related() {
  holds 1.json 'value("mmio_write_ioeventfd_any") < value("mmio_write_ioeventfd")' \
    'value("dirty_log_get") < value("dirty_log_clear") / 10' \
    'value("memslot_create") < value("memslot_delete") / 10' \
    'value("fault_userfaultfd") > 4 * value("fault_first_touch_4k")' \
    '0 <= value("vm_switch") - value("vm_stay") < 200' \
    'abs(value("msi_inject") - value("irq_inject")) < value("irq_inject") / 5'
}

@test "lab:x86_64-svm: rows of memory slots, doorbells and messages are exact and related" {
  measured x86_64-svm
  related
  # The log is cleared page by page: more than 100 instructions each.
  holds 1.json 'value("dirty_log_clear") > 512 * 100' \
    'b("invd")["handled_by"] == "kernel"' \
    'b("pre_fault_memory")["reason"] == "this KVM has no KVM_PRE_FAULT_MEMORY (Linux 6.11)"' \
    'all("KVM_X86_SW_PROTECTED_VM" in b(row)["reason"] for row in ("fault_private_4k", "memory_to_private", "memory_attributes_shared"))' \
    'b("fault_guest_memfd")["reason"] == "this KVM has no guest_memfd that the host may map (Linux 6.18)"'
}

@test "lab:x86_64-vmx: a doorbell of virtio is signalled without decoding the store" {
  measured x86_64-vmx
  related
  holds 1.json 'value("mmio_write_ioeventfd_any") < value("mmio_write_ioeventfd") / 2'
}

@test "lab:aarch64-vhe: rows of memory slots, doorbells and messages are exact and related" {
  measured aarch64-vhe
  related
  # Sixteen messages: each costs less than a message on its own.
  holds 1.json '8 * value("msi_inject") < value("its_lpi_stream") < 16 * value("msi_inject")'
}

# A config that adds slots of its own, before that of the row.
@test "lab:aarch64-vhe: rows of memory slots run beside the slots of a config" {
  need_target lab:aarch64-vhe
  run_apart "$wsbench" run --on lab:aarch64-vhe --config set-flash --boots 1 --events 10 --quiet \
    --bench dirty_log_get,dirty_log_start_2m,memslot_move,memslot_delete,fault_userfaultfd -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'len(d["benchmarks"]) == 5 and all(x["status"] == "ok" for x in d["benchmarks"])'
}

# A kernel with all of them: the newest that was fetched.
# The one exit of an event is ICR's, where the CPU delivers interrupts (APICv).
@test "lab:x86_64-vmx: KVM sends an IPI by x2APIC in its fastpath" {
  need_target lab:x86_64-vmx
  run_apart "$wsbench" explain --on lab:x86_64-vmx --bench x2apic_icr --events 50 --format json
  [ "$status" = 0 ]
  grep -q '"handle_fastpath_set_msr_irqoff"' <<<"$stdout"
  [[ $stdout != *'"kvm_emulate_wrmsr"'* ]]
}

# No vector in service is vector 0, which KVM may ask the CPU to exit for.
@test "lab:x86_64-vmx: the CPU executes the end of interrupt, with no interrupt in service and in one" {
  need_target lab:x86_64-vmx
  run_apart "$wsbench" run --on lab:x86_64-vmx --bench eoi,self_ipi --boots 1 --events 40 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'all(b(x)["handled_by"] == "none" and b(x)["exits"]["observed"] == 0 for x in ("eoi", "self_ipi"))' \
    'value("eoi") < value("self_ipi") < 100'
}

@test "lab:x86_64-svm: pre-faulting and guest_memfd on Linux 6.18 and newer" {
  local kernel
  kernel=$(newest_of 7.3 7.2 6.18) || skip "no kernel of Linux 6.18 or newer: wsbench kernel fetch --series 7.3"
  rows=fault_first_touch_4k,fault_guest_memfd,pre_fault_memory,dirty_log_clear
  measured x86_64-svm --kernel "$kernel"
  holds 1.json 'all(x["status"] == "ok" for x in d["benchmarks"])' \
    'b("fault_guest_memfd")["exits"]["observed"] == b("fault_guest_memfd")["exits"]["expected"] > 0' \
    '0.5 < value("pre_fault_memory") / (512 * value("fault_first_touch_4k")) < 1'
}

# newest_of SERIES...: the first of these series whose kernel for x86_64 is cached.
newest_of() {
  for series in "$@"; do
    [ ! -e "$(cache_dir)/kernels/x86_64/newest-$series-cloud" ] || { echo "$series" && return; }
  done
  return 1
}

@test "lab:x86_64-vmx-msr-imm: RDMSR and WRMSRNS with an immediate operand exit with their own reasons; KVM's fastpath" {
  local kernel imm=rdmsr_imm_kernel,wrmsr_imm_kernel,wrmsr_imm_tsc_deadline
  kernel=$(newest_of 7.3 7.2 6.18) || skip "no kernel of Linux 6.18 or newer: wsbench kernel fetch --series 7.3"
  need_target lab:x86_64-vmx-msr-imm
  rows=$imm,rdmsr_kernel,wrmsr_kernel,tsc_deadline
  measured x86_64-vmx-msr-imm --kernel "$kernel"
  # The handler is the same; beside it, KVM reads the register's number and the guest's mode from the VMCS.
  holds 1.json 'all(x["status"] == "ok" and x["handled_by"] == "kernel" for x in d["benchmarks"])' \
    'all(x["exits"]["observed"] == x["exits"]["expected"] > 0 for x in d["benchmarks"])' \
    'all(0 < value(a) - value(b) < 300 for a, b in (("rdmsr_imm_kernel", "rdmsr_kernel"),
      ("wrmsr_imm_kernel", "wrmsr_kernel"), ("wrmsr_imm_tsc_deadline", "tsc_deadline")))'
  "$wsbench" explain --on lab:x86_64-vmx-msr-imm --kernel "$kernel" --bench "$imm" --events 40 --quiet -o . >/dev/null
  for row in ${imm//,/ }; do
    doc "$row.json" '(d["total"] == d["round_trip"], *sorted(f["name"] for f in d["functions"]))' >"$row"
    grep -q '^(True, ' "$row"
  done
  grep -q "'handle_rdmsr_imm'" rdmsr_imm_kernel
  grep -q "'handle_wrmsr_imm'" wrmsr_imm_kernel
  grep -q "'handle_fastpath_wrmsr_imm'" wrmsr_imm_tsc_deadline
  [ "$(grep -c "'handle_wrmsr_imm'" wrmsr_imm_tsc_deadline)" = 0 ]
}

@test "lab:x86_64-vmx: without MSR_IMM, its rows are skipped with the reason; kernels before 6.17 do not offer it" {
  for lab in vmx vmx-msr-imm; do
    need_target lab:x86_64-$lab
    run_apart "$wsbench" run --on lab:x86_64-$lab --bench rdmsr_imm_kernel,wrmsr_imm_kernel,wrmsr_imm_tsc_deadline --boots 1 -o doc.json
    holds doc.json 'len(d["benchmarks"]) == 3 and all(x["status"] == "skip" and "MSR_IMM" in x["reason"] for x in d["benchmarks"])'
  done
}

# Of lab:x86_64-svm-smp: smp.bats.
@test "lab:x86_64-vmx: one PAUSE of a loop exits, and is the event; with KVM's default, the row is skipped" {
  rows=pause_exit
  measured x86_64-vmx --config ple-constant
  pause_exits 1.json
  run_apart "$wsbench" run --on lab:x86_64-vmx --bench pause_exit --boots 1 -o doc.json
  holds doc.json 'b("pause_exit")["reason"].endswith("_grow is 2): config ple-constant")'
  "$wsbench" explain --on lab:x86_64-vmx --config ple-constant --bench pause_exit --events 40 --quiet -o explained.json >/dev/null
  holds explained.json 'd["total"] == d["round_trip"] > 1000' \
    'any(f["name"] == "kvm_vcpu_on_spin" for f in d["functions"])'
}

# Nor does a restore fault on pages that the checkpoint does not have.
@test "lab:x86_64-svm: a checkpoint is not a search for pages that are not zero" {
  need_target lab:x86_64-svm
  for row in checkpoint_save checkpoint_restore; do
    "$wsbench" explain --on lab:x86_64-svm --bench $row --quiet -o $row.json >/dev/null
    holds $row.json 'd["total"] == d["round_trip"] > 100000' \
      'sum(f["insns"] for f in d["functions"] if "memcmp" in f["name"]) < d["total"] / 20' \
      'sum(f["insns"] for f in d["functions"] if "clear_page" in f["name"]) < d["total"] / 20' \
      'any(f["name"] == "kvm_get_msr_common" for f in d["functions"])'
  done
}

# PML has 512 entries: KVM empties it by an exit that is not a page fault.
@test "lab:x86_64-vmx: more logged stores than PML has entries" {
  need_target lab:x86_64-vmx
  run_apart "$wsbench" run --on lab:x86_64-vmx --bench fault_dirty_log --boots 1 --events 1200 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '1 <= b("fault_dirty_log")["exits"]["observed"] < 10' 'value("fault_dirty_log") < 10'
}

# Kernels before 5.15, and machines without EPT or NPT: what KVM was loaded with is not a config.
@test "lab:x86_64-svm: rows where KVM has no TDP MMU, or no nested paging" {
  need_target lab:x86_64-svm
  for append in kvm.tdp_mmu=0 kvm-amd.npt=0; do
    run_apart "$wsbench" run --on lab:x86_64-svm --append $append --bench fault_first_touch_4k,fault_guest_memfd,cr0_wp,hypercall \
      --boots 1 --quiet -o doc.json
    [ "$status" = 0 ]
    holds doc.json '"up to eight pages at a fault" in b("fault_first_touch_4k")["reason"]' 'b("cr0_wp")["status"] == "ok"' \
      'b("fault_guest_memfd")["status"] == "skip"' 'value("hypercall") > 1000'
  done
  holds doc.json 'b("cr0_wp")["exits"]["observed"] > b("hypercall")["exits"]["observed"]'
}

# KVM prefetches a page only where the tables show which pages were used.
@test "lab:x86_64-vmx: without the TDP MMU, and without accessed bits in EPT, each page faults" {
  need_target lab:x86_64-vmx
  run_apart "$wsbench" run --on lab:x86_64-vmx --append kvm.tdp_mmu=0 --bench fault_first_touch_4k,hypercall --boots 1 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '"up to eight pages at a fault" in b("fault_first_touch_4k")["reason"]'
  run_apart "$wsbench" run --on lab:x86_64-vmx --append "kvm.tdp_mmu=0 kvm-intel.eptad=0" --bench fault_first_touch_4k --boots 1 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'b("fault_first_touch_4k")["exits"]["observed"] == m("fault_first_touch_4k")["boots"][0]["events"] > 0'
}

# The last close() of the VM is in the timed part, and frees the stage-2 tables of a guest that ran.
@test "lab:aarch64-vhe: the destruction of a VM is all of it" {
  need_target lab:aarch64-vhe
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench vm_create,vm_destroy,first_exit --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'all(x["status"] == "ok" and x["handled_by"] == "user" for x in d["benchmarks"])' \
    'len(b("vm_destroy")["metrics"][0]["boots"]) == 2'
  "$wsbench" explain --on lab:aarch64-vhe --bench vm_destroy --quiet -o explained.json >/dev/null
  holds explained.json 'd["total"] > 100000' \
    'all(any(f["name"] == name for f in d["functions"]) for name in ("kvm_destroy_vm", "stage2_free_walker", "kvm_vgic_destroy", "unmap_vmas"))' \
    'not any(f["name"] in ("kvm_create_vm", "kvm_arch_init_vm", "kvm_vcpu_run") for f in d["functions"])'
}

# KVM of x86_64 with CONFIG_KVM_SW_PROTECTED_VM, which no kernel of Debian has: bench/README.md builds it.
@test "lab:x86_64-svm, -vmx: private and shared memory, on a kernel that has it" {
  local kernel=${WORLDSWITCH_PROTECTED_KERNEL:-}
  [ -n "$kernel" ] || skip "no kernel with CONFIG_KVM_SW_PROTECTED_VM (WORLDSWITCH_PROTECTED_KERNEL)"
  rows=fault_first_touch_4k,fault_private_4k,memory_to_private,memory_to_shared,memory_attributes_private,memory_attributes_shared
  for lab in svm vmx; do
    measured x86_64-$lab --kernel "$kernel"
    holds 1.json 'all(x["status"] == "ok" for x in d["benchmarks"])' \
      'all(x["exits"]["observed"] == x["exits"]["expected"] for x in d["benchmarks"])' \
      'b("memory_to_private")["handled_by"] == b("memory_to_shared")["handled_by"] == "user"' \
      'value("memory_attributes_private") < 512 * value("memory_to_private") / 4'
  done
}

# refused_call CALL ERRNO ROW: measures ROW while CALL returns ERRNO, and a row beside it.
# Further arguments are options of the run.
refused_call() {
  need_target kvm
  "$tests/failing_call.py" madvise ENOSYS true || skip "no seccomp filters here"
  run_apart "$tests/failing_call.py" "$1" "$2" "$wsbench" run --on kvm --bench "$3,mmio_write_user" \
    --boots 1 --events 20 "${@:4}" -o doc.json
  echo "exit code $status, stderr: $stderr"
  # On a busy machine two vCPUs of 20 events may take turns.
  holds doc.json 'b("mmio_write_user")["status"] == "ok" or
    "while all others were measuring" in b("mmio_write_user")["reason"]'
}

# Creating a VM and changing a memory slot wait for grace periods of the kernel.
@test "kvm: rows that wait report how often and how long" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench vm_create,first_exit,memslot_delete,memslot_create,dirty_log_get \
    --boots 2 --events 20 --quiet -o doc.json
  [ "$status" = 0 ]
  for row in vm_create first_exit memslot_delete memslot_create; do
    holds doc.json "m('$row', metric='waits')['unit'] == 'switches'" \
      "m('$row', metric='blocked')['unit'] == '%'" \
      "0 <= value('$row', metric='blocked') <= 100"
  done
  holds doc.json 'value("memslot_delete", metric="waits") >= 1' \
    'value("memslot_delete", metric="blocked") > value("vm_create", metric="blocked")' \
    '"waits" not in {x["name"] for x in b("dirty_log_get")["metrics"]}'
}

@test "kvm: rows of userfaultfd are skipped where it is not permitted" {
  refused_call userfaultfd EPERM fault_userfaultfd
  holds doc.json 'b("fault_userfaultfd")["status"] == "skip"' \
    'b("fault_userfaultfd")["reason"] == "userfaultfd: Operation not permitted"'
}

@test "kvm: a dirty log that is never written fails the rows about it" {
  # KVM_GET_DIRTY_LOG returns 0 and does nothing.
  for row in dirty_log_get dirty_log_clear dirty_log_start_2m; do
    refused_call 0x4010ae42 0 "$row"
    holds doc.json "b('$row')['status'] == 'fail'" \
      "b('$row')['reason'] == 'the dirty log has 0 pages instead of 512'"
  done
}

# Its stores exit all the same. The log is that of all vCPUs of a VM.
@test "kvm: a dirty log that is never written fails fault_dirty_log, at every scale" {
  local scale vcpus
  for scale in '' '--vcpus 2' '--vms 2'; do
    # shellcheck disable=SC2086  # words
    refused_call 0x4010ae42 0 fault_dirty_log $scale
    vcpus=1
    [ "$scale" != '--vcpus 2' ] || vcpus=2
    holds doc.json 'b("fault_dirty_log")["status"] == "fail"' \
      're.fullmatch("the dirty log has 0 pages instead of [0-9]+", b("fault_dirty_log")["reason"]) is not None' \
      "int(b('fault_dirty_log')['reason'].split()[-1]) % $vcpus == 0" \
      "int(b('fault_dirty_log')['reason'].split()[-1]) // $vcpus >= 20"
  done
}

# KVM_IRQ_LINE: the line that ends the halt of each event.
@test "kvm: an event that the VMM cannot prepare fails its row" {
  local scale
  [ "$arch" = x86_64 ] || skip "hlt_kernel is a row of x86_64"
  for scale in '' '--vms 2'; do
    # shellcheck disable=SC2086  # words
    refused_call 0x4008ae61 EIO hlt_kernel $scale
    holds doc.json 'b("hlt_kernel")["status"] == "fail"' \
      '"KVM_IRQ_LINE" in b("hlt_kernel")["reason"] and "Input/output error" in b("hlt_kernel")["reason"]'
  done
}

# UFFDIO_COPY: the guest's fault ends although no page arrives. The limit is for a guest that
# hangs, not for its speed.
@test "kvm: a fault that userfaultfd cannot serve fails its row at once" {
  need_target kvm
  "$tests/failing_call.py" madvise ENOSYS true || skip "no seccomp filters here"
  run_apart timeout -k 5 120 "$tests/failing_call.py" 0xc028aa03 EFAULT "$wsbench" run --on kvm \
    --bench fault_userfaultfd --boots 1 --events 20 --timeout 600 --quiet -o doc.json
  [ "$status" = 4 ]
  holds doc.json 'b("fault_userfaultfd")["reason"] == "UFFDIO_COPY: Bad address"'
}

# KVM_GET_STATS_FD: without the count of exits nothing shows that a huge page was mapped, or a slot deleted.
@test "kvm: rows that only exits prove are skipped where KVM does not count them" {
  for row in dirty_log_start_2m memslot_delete; do
    refused_call 0xaece EINVAL "$row"
    holds doc.json "b('$row')['status'] == 'skip'" "'does not count exits' in b('$row')['reason']"
  done
}

# KVM_CLEAR_DIRTY_LOG returns 0 and does nothing.
@test "kvm: a dirty log that is never cleared fails the rows about it" {
  for row in dirty_log_get dirty_log_clear fault_dirty_log; do
    refused_call 0xc018aec0 0 "$row"
    holds doc.json "b('$row')['status'] == 'fail'" \
      "re.fullmatch('the dirty log has [0-9]+ pages instead of 0', b('$row')['reason']) is not None"
  done
}

# KVM_CLEAR_DIRTY_LOG: a log that is full at first proves nothing.
@test "kvm: a new dirty log that cannot be cleared fails its rows" {
  refused_call 0xc018aec0 0 dirty_log_start_2m --config set-dirty-log-manual
  holds doc.json 'b("dirty_log_start_2m")["status"] == "fail"' \
    'b("dirty_log_start_2m")["reason"] == "the dirty log has 512 pages instead of 0"'
}

# virtio's and VFIO's interrupts are MSIs.
@test "lab:x86_64-svm: the irqfd of a message injects at once, that of an IOAPIC line by a work item" {
  need_target lab:x86_64-svm
  for row in irqfd_inject msi_irqfd_inject; do
    "$wsbench" explain --on lab:x86_64-svm --bench $row --events 60 --quiet -o $row.json >/dev/null
    holds $row.json 'd["total"] == d["round_trip"] > 1000'
  done
  holds irqfd_inject.json 'any(f["name"] == "process_one_work" for f in d["functions"])'
  holds msi_irqfd_inject.json 'not any(f["name"] == "process_one_work" for f in d["functions"])' \
    'any(f["name"] == "kvm_arch_set_irq_inatomic" for f in d["functions"])'
}

@test "kvm: a message that never arrives fails its row" {
  # KVM_SET_GSI_ROUTING returns 0 and does nothing.
  refused_call 0x4008ae6a 0 msi_irqfd_inject --timeout 2
  holds doc.json 'b("msi_irqfd_inject")["status"] == "fail"'
  # KVM_SIGNAL_MSI returns 0: the guest blocks the message.
  refused_call 0x4020aea5 0 msi_inject --timeout 2
  holds doc.json 'b("msi_inject")["status"] != "ok"' \
    '"the guest blocks the MSI to 0x" in b("msi_inject")["reason"]'
}

# Without --events, they end when their events repeat. Where events differ by where the kernel's objects
# lie, the median moves a little.
@test "labs: every row that the host times has the figure of 500 events" {
  [ -n "${WS_ALL:-}" ] || skip "takes minutes: WS_ALL=1 runs it"
  local lab all
  all=$(sed -nE 's/^HOST_TIMED\(([a-z0-9_]+),.*/\1/p' "$top/host/targets/rows.def" | paste -sd ,)
  for lab in x86_64-svm x86_64-vmx aarch64-vhe; do
    need_target "lab:$lab"
    "$wsbench" run --quiet --on "lab:$lab" --bench "$all" --boots 1 -o few.json >/dev/null
    "$wsbench" run --quiet --on "lab:$lab" --bench "$all" --boots 1 --events 500 -o all.json >/dev/null
    python3 - few.json all.json <<'END_OF_PYTHON'
import json, re, sys
few, every = ({b["name"]: m["estimate"]["value"] for b in json.load(open(path))["benchmarks"]
               for m in b["metrics"] if m["name"] == "round_trip"} for path in sys.argv[1:])
moved = {name: (few[name], every.get(name)) for name in few if few[name] != every.get(name)}
print(moved)
assert len(few) > 20 and few.keys() == every.keys()
for name, (a, b) in moved.items():
    assert re.fullmatch("checkpoint_.*|dirty_log_.*_2m|memslot_.*|vm_create|vm_destroy|first_exit", name) and abs(a / b - 1) < 0.01, name
END_OF_PYTHON
  done
}

# The figure does not contain what the guest's runtime does for its samples.
@test "lab:x86_64-svm: first_exit has the same figure for any number of samples" {
  need_target lab:x86_64-svm
  local events
  for events in 20 8000; do
    run_apart "$wsbench" run --quiet --on lab:x86_64-svm --bench first_exit --boots 1 --events $events -o $events.json
    [ "$status" = 0 ]
  done
  [ "$(evaluate print 20.json 'value("first_exit")')" = "$(evaluate print 8000.json 'value("first_exit")')" ]
}

# The parts of a run that no event needs are not in the figures: its beginning and its end, and pages that
# the first sample of each touches.
@test "lab:x86_64-svm: the VMM's bookkeeping is not in host-timed rows" {
  need_target lab:x86_64-svm
  run_apart "$wsbench" run --quiet --on lab:x86_64-svm --bench pio_out_user,vm_stay,vm_switch -o turns.json
  [ "$status" = 0 ]
  holds turns.json 'value("pio_out_user") <= value("vm_stay") <= value("vm_switch") < value("pio_out_user") + 200'
  # A page fault costs 2,980 to 3,060 instructions, a timer tick more.
  run_apart "$wsbench" run --quiet --on lab:x86_64-svm --bench irq_inject,exit_in --boots 1 --events 16384 -o many.json
  [ "$status" = 0 ]
  for row in irq_inject exit_in; do
    holds many.json "m('$row')['boots'][0]['summary']['n'] == 16384" \
      "all(not 2900 < low - value('$row') < 3150 for low, _ in m('$row')['boots'][0]['histogram']['bins'])"
  done
  # The first event is the warm-up.
  run_apart "$wsbench" run --quiet --on lab:x86_64-svm --bench exit_out --boots 1 --events 40 -o few.json
  [ "$status" = 0 ]
  holds few.json 'm("exit_out")["boots"][0]["events"] == 40' \
    'm("exit_out")["boots"][0]["summary"]["max"] == value("exit_out")'
}
