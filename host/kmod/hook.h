/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VMs go through the hook on their way into the guest, and what it does. */
#ifndef WS_KMOD_HOOK_H
#define WS_KMOD_HOOK_H

#include <linux/kvm_host.h>

#include <asm/kvm_arm.h>
#include <asm/virt.h>

#include "counters.h"
#include "worldswitch_pmu.h"

struct file;

/* Finds what it hooks into; -EOPNOTSUPP, with a line in the log, where it is not. */
int hook_init(void);

/* Whether the file is a VM of KVM. */
bool hook_is_vm(struct file *file);

/*
 * From now on, at every entry of `kvm`'s vCPUs, these bits of MDCR_EL2 are clear. -EBUSY
 * if it is attached already, or too many are.
 */
int hook_attach(struct kvm *kvm, u64 clear);

/* When it returns, no vCPU of `kvm` runs with them clear any more. */
void hook_detach(struct kvm *kvm);

/*
 * Of hook_entry.c or hook_load.c: registers the hook, which calls hook_vcpu() with
 * interrupts off, on the CPU of the vCPU, after KVM has computed its MDCR_EL2. When
 * hook_place_unregister() returns, the hook does not run any more.
 */
int hook_place_register(void);
void hook_place_unregister(void);

/* The vCPU that is loaded on this CPU, or NULL. */
struct kvm_vcpu *hook_running_vcpu(void);

/* What KVM's value always has; if it has not, this is not the field we think it is. */
#define HOOK_MDCR_KVM (MDCR_EL2_TPM | MDCR_EL2_TPMCR | MDCR_EL2_TDRA | MDCR_EL2_TDOSA)

extern struct hook_vm {
	struct kvm *kvm;
	u64 clear;
} hook_vms[WS_PMU_VMS_MAX];

/* With add()'s release: a CPU that sees the VM sees what is to be cleared for it. */
static inline const struct hook_vm *hook_find(const struct kvm *kvm)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hook_vms); i++)
		if (smp_load_acquire(&hook_vms[i].kvm) == kvm)
			return &hook_vms[i];
	return NULL;
}

/*
 * Changes MDCR_EL2 of a vCPU that is loaded, if its VM is attached; NULL is none. Inline:
 * on Linux 6.1 and 6.12 a call would be a tenth of what the hook costs at every entry.
 */
static inline void hook_vcpu(struct kvm_vcpu *vcpu)
{
	const struct hook_vm *h = vcpu ? hook_find(vcpu->kvm) : NULL;
	u64 mdcr;

	if (!h || (vcpu->arch.mdcr_el2 & HOOK_MDCR_KVM) != HOOK_MDCR_KVM)
		return;
	mdcr = vcpu->arch.mdcr_el2;
	if (__this_cpu_read(counters_reserved))
		mdcr &= ~READ_ONCE(h->clear);
	if (!is_kernel_in_hyp_mode())
		vcpu->arch.mdcr_el2 = mdcr;
	else if (read_sysreg(mdcr_el2) != mdcr)
		write_sysreg(mdcr, mdcr_el2);
}

#endif
