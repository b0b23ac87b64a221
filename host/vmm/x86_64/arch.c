/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: what KVM needs to be told before and after a vCPU exists. */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"

const enum arch vmm_arch = ARCH_X86_64;
const uint16_t vmm_elf_machine = EM_X86_64;
const uint64_t vmm_ram_gpa = ABI_X86_64_RAM_GPA;
const struct arch_doorbell arch_doorbell = { .address = ABI_X86_64_DOORBELL_PORT,
					     .is_pio = true };

/* Three pages and one that VMX needs for real mode: below the BIOS, above RAM. */
#define TSS_GPA		 0xfffbd000ul
#define IDENTITY_MAP_GPA 0xfffbc000ull

#define CPUID_ENTRIES		 256
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)

unsigned long arch_vm_type(int kvm_fd)
{
	(void)kvm_fd;
	return 0;
}

/* The IOAPIC that stays outside has as many pins as KVM's own. */
static int create_irqchip(struct vm *vm)
{
	struct kvm_enable_cap split = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args[0] = KVM_IOAPIC_NUM_PINS,
	};

	switch (vm->config.irqchip) {
	case VM_IRQCHIP_KERNEL:
		if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
			return vm_fail(vm, -errno, "KVM_CREATE_IRQCHIP: %m");
		break;
	case VM_IRQCHIP_SPLIT:
		if (!kvm_extension(vm->fd, KVM_CAP_SPLIT_IRQCHIP))
			return vm_fail(vm, -ENOTSUP,
				       "this KVM has no KVM_CAP_SPLIT_IRQCHIP");
		if (ioctl(vm->fd, KVM_ENABLE_CAP, &split))
			return vm_fail(vm, -errno, "KVM_CAP_SPLIT_IRQCHIP: %m");
		break;
	case VM_IRQCHIP_USER:
		break;
	}
	return 0;
}

int arch_vm_init(struct vm *vm)
{
	uint64_t identity_map = IDENTITY_MAP_GPA;

	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map))
		return vm_fail(vm, -errno, "KVM_SET_IDENTITY_MAP_ADDR: %m");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_GPA))
		return vm_fail(vm, -errno, "KVM_SET_TSS_ADDR: %m");
	if (vm->config.pmu_off) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_PMU_CAPABILITY,
			.args[0] = KVM_PMU_CAP_DISABLE,
		};

		if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
			return vm_fail(vm, -errno, "KVM_CAP_PMU_CAPABILITY: %m");
	}
	if (vm->config.disabled_exits) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_X86_DISABLE_EXITS,
			.args[0] = vm->config.disabled_exits,
		};

		if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
			return vm_fail(vm, -errno, "KVM_CAP_X86_DISABLE_EXITS: %m");
	}
	return create_irqchip(vm);
}

/*
 * KVM does not list the APIC timer's TSC-deadline mode, because it depends on where the
 * APIC is (Documentation/virt/kvm/api.rst, KVM_GET_SUPPORTED_CPUID).
 */
static void add_tsc_deadline(const struct vm *vm, struct kvm_cpuid2 *cpuid)
{
	uint32_t i;

	if (vm->config.irqchip == VM_IRQCHIP_USER ||
	    !kvm_extension(vm->kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER))
		return;
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= CPUID_1_ECX_TSC_DEADLINE;
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

/* The guest sees what KVM supports: it would die on much less. */
static int vcpu_init(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;
	int err = 0;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return vcpu_fail(vcpu, -ENOMEM, "out of memory");
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(vcpu->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid)) {
		err = vcpu_fail(vcpu, -errno, "KVM_GET_SUPPORTED_CPUID: %m");
	} else {
		add_tsc_deadline(vcpu->vm, cpuid);
		hide_counters(vcpu->vm, cpuid);
	}
	if (!err && ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		err = vcpu_fail(vcpu, -errno, "KVM_SET_CPUID2: %m");
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

/* 32-bit protected mode, flat, paging off (Xen's PVH boot protocol). */
int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	struct kvm_regs regs = {
		.rip = entry,
		.rflags = 2,
		.rbp = vcpu->index ? ABI_SECONDARY | vcpu->index : 0,
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return vcpu_fail(vcpu, -errno, "KVM_GET_SREGS: %m");
	sregs.cs = flat_segment(0xb, 8);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat_segment(0x3, 16);
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
	sregs.cr0 = 0x11; /* PE, ET */
	sregs.cr4 = 0;
	sregs.efer = 0;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		return vcpu_fail(vcpu, -errno, "KVM_SET_SREGS: %m");
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return vcpu_fail(vcpu, -errno, "KVM_SET_REGS: %m");
	/* With a LAPIC in the kernel it would wait for the boot CPU's INIT and SIPI. */
	if (vcpu->index && vcpu->vm->config.irqchip != VM_IRQCHIP_USER &&
	    ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable))
		return vcpu_fail(vcpu, -errno, "KVM_SET_MP_STATE: %m");
	return 0;
}

void arch_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

void arch_vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs)) {
		snprintf(text, bytes, "registers cannot be read: %m");
		return;
	}
	snprintf(text, bytes,
		 "rip 0x%llx rsp 0x%llx rflags 0x%llx rax 0x%llx rcx 0x%llx rdx 0x%llx "
		 "cs 0x%x cr0 0x%llx cr2 0x%llx cr3 0x%llx cr4 0x%llx efer 0x%llx",
		 regs.rip, regs.rsp, regs.rflags, regs.rax, regs.rcx, regs.rdx,
		 sregs.cs.selector, sregs.cr0, sregs.cr2, sregs.cr3, sregs.cr4,
		 sregs.efer);
}

/*
 * kvm_intel and kvm_amd are what makes KVM a hardware one; their presence is
 * visible in sysfs, built in or loaded. Without either, and without the CPU
 * features, something else answers /dev/kvm.
 */
enum kvm_flavour arch_flavour(int kvm_fd)
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
