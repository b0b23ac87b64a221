/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hook of Linux 6.1 and 6.12: the kernel's own tracepoint kvm_entry.
 *
 * KVM computes MDCR_EL2 before every entry (kvm_arm_setup_debug()). kvm_entry is the one
 * place between that and the guest which the kernel offers to modules: nothing is patched
 * but the tracepoint's own branch, and that only as long as a VM is attached.
 */
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "hook.h"
#include "worldswitch_pmu.h"

static struct tracepoint *entry;

bool hook_is_vm(struct file *file)
{
	return file_is_kvm(file);
}

struct kvm_vcpu *hook_running_vcpu(void)
{
	return kvm_get_running_vcpu();
}

/* With interrupts off, on the CPU that is about to enter the guest. */
static void on_entry(void *data, unsigned long pc)
{
	hook_vcpu(kvm_get_running_vcpu());
}

int hook_place_register(void)
{
	return tracepoint_probe_register(entry, on_entry, NULL);
}

void hook_place_unregister(void)
{
	tracepoint_probe_unregister(entry, on_entry, NULL);
	tracepoint_synchronize_unregister();
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
