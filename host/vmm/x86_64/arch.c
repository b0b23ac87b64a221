/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: setting up a VM and its vCPUs, the clock, and which KVM this is. */
#include <cpuid.h>
#include <errno.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/abi.h"
#include "bench/mark.h"
#include "host/vmm/arch.h"
#include "host/vmm/timer.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"
#include "host/vmm/regs.h"

const enum arch vmm_arch = ARCH_X86_64;
const uint16_t vmm_elf_machine = EM_X86_64;
const uint64_t vmm_ram_gpa = ABI_X86_64_RAM_GPA;
const struct arch_doorbell arch_doorbell = { .address = ABI_X86_64_DOORBELL_PORT,
					     .is_pio = true };

#define CPUID_ENTRIES			256
#define CPUID_1_ECX_HYPERVISOR		(1u << 31)
#define CPUID_1_ECX_TSC_DEADLINE	(1u << 24)
#define CPUID_1_ECX_PDCM		(1u << 15)
#define CPUID_1_ECX_VMX			(1u << 5)
#define CPUID_80000001_ECX_SVM		(1u << 2)
#define CPUID_HYPERVISOR		0x40000000u
#define CPUID_HYPERVISOR_STEP		0x100u /* to the next hypervisor's leaves */
#define CPUID_80000001_ECX_PERFCTR_CORE (1u << 23)

/* KVM_HC_MAP_GPA_RANGE of <linux/kvm_para.h>. */
#define HC_MAP_GPA_RANGE	   12
#define HC_MAP_GPA_RANGE_ENCRYPTED (1u << 4)

unsigned long arch_vm_type(int kvm_fd)
{
	(void)kvm_fd;
	return 0;
}

/* The VMM's IOAPIC of a split irqchip has as many pins as KVM's own. */
static int create_irqchip(struct vm *vm)
{
	switch (vm->config.irqchip) {
	case VM_IRQCHIP_KERNEL:
		return vm_ioctl(vm, KVM_CREATE_IRQCHIP, KVM_NONE);
	case VM_IRQCHIP_SPLIT:
		if (!kvm_check_cap(vm->fd, KVM_CAP_SPLIT_IRQCHIP))
			return error_set(&vm->error, -ENOTSUP,
					 "this KVM has no KVM_CAP_SPLIT_IRQCHIP");
		return vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, KVM_IOAPIC_NUM_PINS);
	case VM_IRQCHIP_USER:
		break;
	}
	return 0;
}

int arch_vm_init(struct vm *vm)
{
	int err = 0;

	if (vm->config.pmu_off)
		err = vm_enable_cap(vm, KVM_CAP_PMU_CAPABILITY, KVM_PMU_CAP_DISABLE);
	if (!err && vm->config.disabled_exits)
		err = vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS,
				    vm->config.disabled_exits);
	return err ? err : create_irqchip(vm);
}

/*
 * KVM does not list the APIC timer's TSC-deadline mode, which depends on the irqchip
 * (Documentation/virt/kvm/api.rst, KVM_GET_SUPPORTED_CPUID).
 */
static void add_tsc_deadline(const struct vm *vm, struct kvm_cpuid2 *cpuid)
{
	uint32_t i;

	if (vm->config.irqchip == VM_IRQCHIP_USER ||
	    !kvm_check_cap(vm->kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER))
		return;
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= CPUID_1_ECX_TSC_DEADLINE;
}

/* KVM_GET_SUPPORTED_CPUID does not know that the VM's vPMU is disabled. */
static void hide_pmu(struct kvm_cpuid2 *cpuid)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 0xa || e->function == 0x80000022)
			e->eax = e->ebx = e->ecx = e->edx = 0;
		else if (e->function == 1)
			e->ecx &= ~CPUID_1_ECX_PDCM;
		else if (e->function == 0x80000001)
			e->ecx &= ~CPUID_80000001_ECX_PERFCTR_CORE;
	}
}

/* Linux looks for KVM only behind this bit, which QEMU sets and older KVMs do not list.
 */
static void add_hypervisor(struct kvm_cpuid2 *cpuid)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= CPUID_1_ECX_HYPERVISOR;
}

static void empty_leaf(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function)
			cpuid->entries[i].eax = cpuid->entries[i].ebx =
				cpuid->entries[i].ecx = cpuid->entries[i].edx = 0;
}

/*
 * The number of general counters: bits 15:8 of leaf 0xa's EAX (Intel SDM 2A, CPUID), bits
 * 3:0 of leaf 0x80000022's EBX (AMD APM 3, E.4.22).
 */
static void hide_counters(const struct vm *vm, struct kvm_cpuid2 *cpuid)
{
	uint32_t i, fewer = vm->config.pmu_hidden_counters;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 0xa && (e->eax >> 8 & 0xff) > fewer)
			e->eax -= fewer << 8;
		else if (e->function == 0x80000022 && (e->ebx & 0xf) > fewer)
			e->ebx -= fewer;
	}
}

/* What KVM supports. free() it. */
static int supported_cpuid(int kvm_fd, struct kvm_cpuid2 **out, struct error *why)
{
	struct kvm_cpuid2 *cpuid;
	int err;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid) {
		error_set(why, -ENOMEM, "out of memory");
		return -ENOMEM;
	}
	cpuid->nent = CPUID_ENTRIES;
	err = __kvm_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (err) {
		free(cpuid);
		error_set(why, err, "KVM_GET_SUPPORTED_CPUID: %s", strerror(-err));
		return err;
	}
	*out = cpuid;
	return 0;
}

/*
 * Hyper-V's leaves, as this vCPU may have them, at 0x40000000; those of KVM move to
 * 0x40000100, as in QEMU's VMs. Leaf 0x4000000a has the versions of the enlightened VMCS,
 * which must be enabled before.
 */
static int add_hyperv(struct vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	uint16_t versions;
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_HYPERV_ENLIGHTENED_VMCS,
		.args = { (uintptr_t)&versions },
	};
	struct kvm_cpuid2 *leaves;
	int err = vcpu_ioctl(vcpu, KVM_ENABLE_CAP, &cap);
	uint32_t i;

	if (err)
		return err;
	leaves = calloc(1, sizeof(*leaves) + CPUID_ENTRIES * sizeof(leaves->entries[0]));
	if (!leaves)
		return error_set(vcpu->error, -ENOMEM, "out of memory");
	leaves->nent = CPUID_ENTRIES;
	err = vcpu_ioctl(vcpu, KVM_GET_SUPPORTED_HV_CPUID, leaves);
	for (i = 0; !err && i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if ((e->function & ~1u) != CPUID_HYPERVISOR)
			continue;
		if (e->function == CPUID_HYPERVISOR)
			e->eax += CPUID_HYPERVISOR_STEP;
		e->function += CPUID_HYPERVISOR_STEP;
	}
	if (!err && leaves->nent > CPUID_ENTRIES - cpuid->nent)
		err = error_set(vcpu->error, -E2BIG, "more than %d CPUID leaves",
				CPUID_ENTRIES);
	for (i = 0; !err && i < leaves->nent; i++)
		cpuid->entries[cpuid->nent++] = leaves->entries[i];
	free(leaves);
	return err;
}

int vm_nested_available(int kvm_fd, struct error *why)
{
	struct kvm_cpuid2 *cpuid;
	bool offered = false;
	uint32_t i;
	int err = supported_cpuid(kvm_fd, &cpuid, why);

	if (err)
		return err;
	for (i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		offered |= e->function == 1 && e->ecx & CPUID_1_ECX_VMX;
		offered |= e->function == 0x80000001 && e->ecx & CPUID_80000001_ECX_SVM;
	}
	free(cpuid);
	if (offered)
		return 0;
	if (!kvm_flavour_is_hardware(kvm_flavour(kvm_fd)))
		return error_set(why, -ENOTSUP,
				 "needs hardware virtualization; this is a software KVM");
	return error_set(
		why, -ENOTSUP,
		"this KVM offers its guests neither VMX nor SVM (nested=0 of kvm_intel or kvm_amd)");
}

/* The guest's CPUID is what KVM supports. */
static int vcpu_init(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;
	int err = supported_cpuid(vcpu->vm->kvm_fd, &cpuid, vcpu->error);

	if (err)
		return err;
	add_tsc_deadline(vcpu->vm, cpuid);
	hide_counters(vcpu->vm, cpuid);
	if (vcpu->vm->config.ram_bytes && !vcpu->vm->config.windows)
		add_hypervisor(cpuid);
	if (vcpu->vm->config.pmu_off)
		hide_pmu(cpuid);
	if (vcpu->vm->config.cpuid_no_pmu)
		empty_leaf(cpuid, 0xa);
	if (vcpu->vm->config.evmcs)
		err = add_hyperv(vcpu, cpuid);
	if (!err)
		err = vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return err;
}

int arch_vm_finish(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = vcpu_init(&vm->vcpus[i]);
	return err;
}

static struct kvm_segment flat_segment(uint8_t type, uint16_t selector)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

/* Intel SDM 3A, 4.5: present and writable; of a 2 MiB page; uncached. */
#define PTE_TABLE  0x003ull
#define PTE_RAM	   0x083ull
#define PTE_DEVICE 0x09bull
#define DEVICE_GPA 0xc0000000ull

/* As guest/x86_64/boot.S, but for the addresses. */
void arch_window_tables(const struct vm *vm, unsigned int index, uint64_t slot_bytes,
			uint64_t *tables)
{
	const uint64_t ram = vm->ram_gpa + index * ABI_RAM_BYTES;
	const uint64_t gpa = ram + ABI_TABLES_OFFSET;
	uint64_t *at[5]; /* PML4, PDPT, RAM, devices, slot */

	for (uint32_t i = 0; i < 5; i++)
		at[i] = tables + i * ARCH_TABLE_ENTRIES;
	at[0][0] = (gpa + 0x1000) | PTE_TABLE;
	at[1][0] = (gpa + 0x2000) | PTE_TABLE;
	at[1][DEVICE_GPA >> 30] = (gpa + 0x3000) | PTE_TABLE;
	at[1][ABI_SLOT_GPA >> 30] = (gpa + 0x4000) | PTE_TABLE;
	for (uint32_t i = 0; i < ABI_RAM_BYTES / ARCH_BLOCK_BYTES; i++)
		at[2][i] = (ram + i * ARCH_BLOCK_BYTES) | PTE_RAM;
	for (uint32_t i = 0; i < ARCH_TABLE_ENTRIES; i++)
		at[3][i] = (DEVICE_GPA + i * ARCH_BLOCK_BYTES) | PTE_DEVICE;
	for (uint32_t i = 0; i < ARCH_TABLE_ENTRIES && i < slot_bytes / ARCH_BLOCK_BYTES;
	     i++)
		at[4][i] = (ABI_SLOT_GPA + index * slot_bytes + i * ARCH_BLOCK_BYTES) |
			   PTE_RAM;
}

/* 32-bit protected mode, flat, paging off (Xen's PVH boot protocol). */
int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	struct kvm_regs regs = {
		.rip = entry,
		.rflags = 2,
		.rbp = vcpu->index ? arch_mark(vcpu) : 0,
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;
	int err = vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (err)
		return err;
	sregs.cs = flat_segment(0xb, 8);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat_segment(0x3, 16);
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
	sregs.cr0 = 0x11; /* PE, ET */
	sregs.cr4 = 0;
	sregs.efer = 0;
	err = vcpu_ioctl(vcpu, KVM_SET_SREGS, &sregs);
	if (!err)
		err = vcpu_ioctl(vcpu, KVM_SET_REGS, &regs);
	/* With an in-kernel LAPIC it would wait for the boot CPU's INIT and SIPI. */
	if (!err && vcpu->index && vcpu->vm->config.irqchip != VM_IRQCHIP_USER)
		err = vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &runnable);
	return err;
}

void arch_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (__vcpu_ioctl(vcpu, KVM_GET_REGS, &regs) ||
	    __vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs)) {
		snprintf(text, bytes, "registers cannot be read: %m");
		return;
	}
	snprintf(
		text, bytes,
		"rip 0x%llx rsp 0x%llx rflags 0x%llx rax 0x%llx rcx 0x%llx rdx 0x%llx cs 0x%x cr0 0x%llx cr2 0x%llx cr3 0x%llx cr4 0x%llx efer 0x%llx",
		regs.rip, regs.rsp, regs.rflags, regs.rax, regs.rcx, regs.rdx,
		sregs.cs.selector, sregs.cr0, sregs.cr2, sregs.cr3, sregs.cr4,
		sregs.efer);
}

/* The fences are those of guest/x86_64/clock.h, for the same reasons. */
#define CLOCK_READER(name, mark)                                                         \
	uint64_t name(void)                                                              \
	{                                                                                \
		uint32_t low, high;                                                      \
                                                                                         \
		__asm__ volatile("lfence\n\t" mark "rdtsc\n\t"                           \
				 "lfence"                                                \
				 : "=a"(low), "=d"(high)                                 \
				 :                                                       \
				 : "memory");                                            \
		return (uint64_t)high << 32 | low;                                       \
	}
CLOCK_READER(clock_now, MARK_SHARED)
CLOCK_READER(clock_run, MARK_RUN)
CLOCK_READER(clock_ran, MARK_RAN)
CLOCK_READER(clock_glance, "")

int clock_guest_offset(const struct vcpu *vcpu, uint64_t *offset)
{
	return kvm_device_attr_get(vcpu->fd, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET,
				   offset)
		       ? -ENOTSUP
		       : 0;
}

/* The results are those of linux/kvm_para.h. */
int arch_hypercall(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const __u64 *args = run->hypercall.args;

	if (!vcpu->vm->config.sw_protected || run->hypercall.nr != HC_MAP_GPA_RANGE)
		run->hypercall.ret = -1000ull; /* -KVM_ENOSYS */
	else if (args[1] > vcpu->vm->ram_bytes ||
		 memory_convert(vcpu->vm, args[0], args[1] * 4096,
				args[2] & HC_MAP_GPA_RANGE_ENCRYPTED))
		run->hypercall.ret = -(uint64_t)EINVAL;
	else
		run->hypercall.ret = 0;
	return 0;
}

int arch_skip_insn(struct vcpu *vcpu)
{
	return error_set(vcpu->error, -ENOTSUP,
			 "KVM does not report the instruction length");
}

/* INT3 is one byte, and KVM leaves RIP on it (vector 3; SDM 3A, 6.3.1). */
int arch_debug_exit(struct vcpu *vcpu)
{
	struct regs_value rip;
	int err;

	if (vcpu->run->debug.arch.exception != 3)
		return 0;
	err = regs_get(vcpu, "rip", &rip);
	if (err)
		return err;
	rip.low++;
	return regs_set(vcpu, "rip", &rip);
}

/*
 * kvm_intel or kvm_amd is in sysfs, built in or loaded. Without either and without the
 * CPU features, /dev/kvm is not a hardware KVM.
 */
enum kvm_flavour kvm_flavour(int kvm_fd)
{
	unsigned int a, b, c, d;

	(void)kvm_fd;
	if (!access("/sys/module/kvm_intel", F_OK))
		return KVM_FLAVOUR_VMX;
	if (!access("/sys/module/kvm_amd", F_OK))
		return KVM_FLAVOUR_SVM;
	if (__get_cpuid(1, &a, &b, &c, &d) && c & 1u << 5)
		return KVM_FLAVOUR_VMX;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d) && c & 1u << 2)
		return KVM_FLAVOUR_SVM;
	return KVM_FLAVOUR_SOFTWARE;
}
