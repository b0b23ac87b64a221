/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VMs go through the hook on their way into the guest, and what it does. */
#ifndef WS_KMOD_HOOK_H
#define WS_KMOD_HOOK_H

#include <linux/kvm_host.h>

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

/* Changes MDCR_EL2 of a vCPU that is loaded, if its VM is attached; NULL is none. */
void hook_vcpu(struct kvm_vcpu *vcpu);

#endif
