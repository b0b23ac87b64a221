/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of attached VMs, and what the hook does to a vCPU's MDCR_EL2.
 *
 * KVM computes a vCPU's MDCR_EL2 anew, with PMU accesses trapped, whatever it was before.
 * The hook has to run between that and the guest. Where that is depends on the kernel:
 * hook_entry.c or hook_load.c, by Kbuild. What the hook costs is measured by attaching
 * without clearing anything (WS_PMU_ATTACH without flags).
 *
 *   nVHE  EL2 loads MDCR_EL2 from vcpu->arch.mdcr_el2 at every entry: change that.
 *   VHE   it is loaded with the vCPU, and again only if KVM's own value changes: change
 *         the register, and leave KVM's value alone, so that KVM sees no change.
 *
 * On a CPU whose counters are not reserved (counters.h) nothing is cleared: there the
 * guest is trapped as KVM means it to be.
 */
#include <linux/cpu.h>
#include <linux/version.h>

#include "hook.h"

/* Read, one by one, for these: where MDCR_EL2 is computed, and where it is loaded. */
#define LINUX_IS(a, b)                                                                   \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0) &&                                \
	 LINUX_VERSION_CODE < KERNEL_VERSION(a, (b) + 1, 0))
#if !LINUX_IS(6, 1) && !LINUX_IS(6, 12) && !LINUX_IS(7, 2) && !LINUX_IS(7, 3)
#error "worldswitch_pmu knows the KVM/arm64 of Linux 6.1, 6.12, 7.2 and 7.3, not of this kernel"
#endif

struct hook_vm hook_vms[WS_PMU_VMS_MAX];
static unsigned int users;
static DEFINE_MUTEX(lock);

/*
 * The vCPU of `kvm` that is loaded here, if any. While it is being loaded or put, the
 * register has the host's value, which must not change.
 */
static struct kvm_vcpu *loaded(const struct kvm *kvm)
{
	const u64 guest = MDCR_EL2_TDRA | MDCR_EL2_TDOSA;
	struct kvm_vcpu *vcpu = hook_running_vcpu();

	if (!vcpu || vcpu->kvm != kvm)
		return NULL;
	if (is_kernel_in_hyp_mode() && (read_sysreg(mdcr_el2) & guest) != guest)
		return NULL;
	return vcpu;
}

static void hook_cpu(void *data)
{
	hook_vcpu(loaded(data));
}

/* KVM's own value into the register, if a vCPU of `data` is loaded here. */
static void unhook_cpu(void *data)
{
	struct kvm_vcpu *vcpu = loaded(data);

	if (!vcpu)
		return;
	if (is_kernel_in_hyp_mode())
		write_sysreg(vcpu->arch.mdcr_el2, mdcr_el2);
	else if (vcpu->arch.mdcr_el2)
		vcpu->arch.mdcr_el2 |= HOOK_MDCR_KVM;
}

static int add(struct kvm *kvm, u64 clear)
{
	unsigned int i;

	if (hook_find(kvm))
		return -EBUSY;
	for (i = 0; i < ARRAY_SIZE(hook_vms) && hook_vms[i].kvm; i++)
		;
	if (i == ARRAY_SIZE(hook_vms))
		return -EBUSY;
	WRITE_ONCE(hook_vms[i].clear, clear);
	smp_store_release(&hook_vms[i].kvm, kvm);
	return 0;
}

static void drop(struct kvm *kvm)
{
	struct hook_vm *h = (struct hook_vm *)hook_find(kvm);

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
		err = hook_place_register();
		if (err)
			drop(kvm);
	}
	if (!err) {
		users++;
		/* Those that were loaded before. */
		on_each_cpu(hook_cpu, kvm, 1);
	}
	mutex_unlock(&lock);
	return err;
}

void hook_detach(struct kvm *kvm)
{
	mutex_lock(&lock);
	if (!--users)
		hook_place_unregister();
	drop(kvm);
	mutex_unlock(&lock);
}
