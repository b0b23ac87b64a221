/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: a VM for Linux, entered at its 64-bit entry (Documentation/arch/x86/boot.rst).
 */
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/linux.h"

/* A kernel looks for the timer of the PC. */
#define SETTINGS_OF_A_PC                                                                 \
	(1u << SETTING_identity_map | 1u << SETTING_tss | 1u << SETTING_pit)

#define CR0  0x80000011ull /* PG, ET, PE */
#define CR4  0x20ull	   /* PAE */
#define EFER 0x500ull	   /* LMA, LME */

void linux_vm_config(struct vm_config *config, uint64_t ram_bytes)
{
	*config = (struct vm_config){
		.vcpus = 1,
		.irqchip = VM_IRQCHIP_KERNEL,
		.nested = true,
		.ram_bytes = ram_bytes,
		.settings = SETTINGS_OF_A_PC,
	};
}

/*
 * As firmware leaves them. MTRRs: memory is write-back, all above 3 GiB is uncached;
 * without MTRRs, Linux does without the PAT (SDM vol. 3A, 12.11.2). IA32_MISC_ENABLE:
 * fast strings, which KVM leaves off. On Intel, Linux then ignores ERMS but not FSRM,
 * and memmove() of kernels before 6.4 needs ERMS where FSRM is: L1 would overwrite its
 * memory.
 */
#define MISC_ENABLE  0x1a0
#define FAST_STRINGS 1u

static int set_msrs(struct vcpu *vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[4];
	} msrs = {
		.head.nmsrs = 1,
		.entry = { { .index = MISC_ENABLE },
			   { .index = 0x200, .data = 0xc0000000 },
			   { .index = 0x201, .data = 0xffc0000800 },
			   { .index = 0x2ff, .data = 0xc06 } },
	};
	int got = vcpu_ioctl_value(vcpu, KVM_GET_MSRS, &msrs.head), set;

	if (got < 0)
		return got;
	msrs.entry[0].data |= FAST_STRINGS;
	msrs.head.nmsrs = 4;
	set = vcpu_ioctl_value(vcpu, KVM_SET_MSRS, &msrs.head);
	if (set < 0)
		return set;
	return set == 4 ? 0
			: error_set(vcpu->error, -EINVAL, "KVM_SET_MSRS refuses MSR 0x%x",
				    msrs.entry[set].index);
}

int linux_enter(struct vm *vm, const struct linux_entry *entry)
{
	struct vcpu *vcpu = &vm->vcpus[0];
	const struct kvm_regs regs = { .rip = entry->entry,
				       .rsi = entry->params,
				       .rflags = 2 };
	struct kvm_segment segment = {
		.limit = 0xffffffff,
		.selector = 0x18,
		.type = 3,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
	struct kvm_sregs sregs;
	int err = vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (err)
		return err;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment;
	segment.selector = 0x10;
	segment.type = 0xb;
	segment.db = 0;
	segment.l = 1;
	sregs.cs = segment;
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
	sregs.cr0 = CR0;
	sregs.cr3 = entry->tables;
	sregs.cr4 = CR4;
	sregs.efer = EFER;
	err = vcpu_ioctl(vcpu, KVM_SET_SREGS, &sregs);
	if (!err)
		err = vcpu_ioctl(vcpu, KVM_SET_REGS, &regs);
	return err ? err : set_msrs(vcpu);
}
