/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hook of Linux 7.2 and 7.3: a probe on the returns of the two functions that compute
 * MDCR_EL2 (by kvm_arm_setup_mdcr_el2(), which is static): when a vCPU is loaded, and
 * when a guest's access to a debug register trapped. So an exit that does not leave the
 * kernel does not meet the hook.
 *
 * What these kernels do not export is found by a kprobe that is registered for a moment.
 */
#include <linux/fprobe.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>

#include "hook.h"
#include "worldswitch_pmu.h"

static struct kvm_vcpu *(*running_vcpu)(void);
static bool (*is_vm)(struct file *file);

bool hook_is_vm(struct file *file)
{
	return is_vm(file);
}

struct kvm_vcpu *hook_running_vcpu(void)
{
	return running_vcpu();
}

/*
 * The vCPU is loaded on this CPU, or was until it was preempted: then it was hooked as it
 * was loaded again.
 */
static void on_return(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		      struct ftrace_regs *regs, void *entry_data)
{
	unsigned long flags;

	local_irq_save(flags);
	hook_vcpu(running_vcpu());
	local_irq_restore(flags);
}

static struct fprobe probe = { .exit_handler = on_return };

int hook_place_register(void)
{
	/* Not constant: fprobe sorts them. */
	const char *names[] = { "kvm_vcpu_load_debug", "kvm_debug_set_guest_ownership" };

	return register_fprobe_syms(&probe, names, ARRAY_SIZE(names));
}

void hook_place_unregister(void)
{
	unregister_fprobe(&probe);
}

static void *address_of(const char *name)
{
	struct kprobe kp = { .symbol_name = name };
	void *address;

	if (register_kprobe(&kp)) {
		pr_err(WS_PMU_MODULE ": this kernel has no %s()\n", name);
		return NULL;
	}
	address = kp.addr;
	unregister_kprobe(&kp);
	return address;
}

int hook_init(void)
{
	running_vcpu = address_of("kvm_get_running_vcpu");
	is_vm = address_of("file_is_kvm");
	return running_vcpu && is_vm ? 0 : -EOPNOTSUPP;
}
