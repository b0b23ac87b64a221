/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hook: the kernel's own tracepoint kvm_entry.
 *
 * KVM computes a vCPU's MDCR_EL2 anew before every entry (kvm_arm_setup_debug()), with
 * PMU accesses trapped, whatever it was before. So what changes it has to run at every
 * entry, between that and the guest. kvm_entry is the one place there which the kernel
 * offers to modules: nothing is patched but the tracepoint's own branch, and that only
 * as long as a VM is attached. What it costs is measured by attaching without clearing
 * anything (WS_PMU_ATTACH without flags).
 *
 *   nVHE  EL2 loads MDCR_EL2 from vcpu->arch.mdcr_el2 at every entry: change that.
 *   VHE   it is loaded with the vCPU, and again only if KVM's own value changes: change
 *         the register, and leave KVM's value alone, so that KVM sees no change.
 *
 * On a CPU whose counters are not reserved (counters.h) nothing is cleared: there the
 * guest is trapped as KVM means it to be.
 */
#include <linux/cpu.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/version.h>

#include <asm/kvm_arm.h>
#include <asm/virt.h>

#include "counters.h"
#include "hook.h"
#include "worldswitch_pmu.h"

/* Read, one by one, for these: where MDCR_EL2 is computed, and where it is loaded. */
#if !(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0) &&                                   \
      LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)) &&                                   \
	!(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) &&                              \
	  LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))
#error "worldswitch_pmu knows the KVM/arm64 of Linux 6.1 and 6.12, not of this kernel"
#endif

/* What KVM's value always has; if it has not, this is not the field we think it is. */
#define MDCR_KVM (MDCR_EL2_TPM | MDCR_EL2_TPMCR | MDCR_EL2_TDRA | MDCR_EL2_TDOSA)

static struct hooked {
	struct kvm *kvm;
	u64 clear;
} hooked[WS_PMU_VMS_MAX];
static unsigned int users;
static DEFINE_MUTEX(lock);
static struct tracepoint *entry;

/* With add()'s release: a CPU that sees the VM sees what is to be cleared for it. */
static const struct hooked *find(const struct kvm *kvm)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooked); i++)
		if (smp_load_acquire(&hooked[i].kvm) == kvm)
			return &hooked[i];
	return NULL;
}

/* With interrupts off, on the CPU that is about to enter the guest. */
static void on_entry(void *data, unsigned long pc)
{
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();
	const struct hooked *h = vcpu ? find(vcpu->kvm) : NULL;
	u64 mdcr;

	if (!h || (vcpu->arch.mdcr_el2 & MDCR_KVM) != MDCR_KVM)
		return;
	mdcr = vcpu->arch.mdcr_el2;
	if (__this_cpu_read(counters_reserved))
		mdcr &= ~READ_ONCE(h->clear);
	if (!is_kernel_in_hyp_mode())
		vcpu->arch.mdcr_el2 = mdcr;
	else if (read_sysreg(mdcr_el2) != mdcr)
		write_sysreg(mdcr, mdcr_el2);
}

/* KVM's own value into the register, if a vCPU of `data` is loaded here. */
static void unhook_cpu(void *data)
{
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();

	if (is_kernel_in_hyp_mode() && vcpu && vcpu->kvm == data)
		write_sysreg(vcpu->arch.mdcr_el2, mdcr_el2);
}

static int add(struct kvm *kvm, u64 clear)
{
	unsigned int i;

	if (find(kvm))
		return -EBUSY;
	for (i = 0; i < ARRAY_SIZE(hooked) && hooked[i].kvm; i++)
		;
	if (i == ARRAY_SIZE(hooked))
		return -EBUSY;
	WRITE_ONCE(hooked[i].clear, clear);
	smp_store_release(&hooked[i].kvm, kvm);
	return 0;
}

static void drop(struct kvm *kvm)
{
	struct hooked *h = (struct hooked *)find(kvm);

	WRITE_ONCE(h->kvm, NULL);
	/* The hook runs with interrupts off: when all have answered, it has left. */
	on_each_cpu(unhook_cpu, kvm, 1);
}

int hook_attach(struct kvm *kvm, u64 clear)
{
	int err;

	mutex_lock(&lock);
	err = add(kvm, clear);
	if (!err && !users) {
		err = tracepoint_probe_register(entry, on_entry, NULL);
		if (err)
			drop(kvm);
	}
	if (!err)
		users++;
	mutex_unlock(&lock);
	return err;
}

void hook_detach(struct kvm *kvm)
{
	mutex_lock(&lock);
	if (!--users) {
		tracepoint_probe_unregister(entry, on_entry, NULL);
		tracepoint_synchronize_unregister();
	}
	drop(kvm);
	mutex_unlock(&lock);
}

static void look_at(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "kvm_entry"))
		entry = tp;
}

int hook_init(void)
{
	for_each_kernel_tracepoint(look_at, NULL);
	if (!entry) {
		pr_err(WS_PMU_MODULE ": this kernel has no tracepoint kvm_entry\n");
		return -EOPNOTSUPP;
	}
	return 0;
}
