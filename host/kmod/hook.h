/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VMs go through the hook on their way into the guest, and what it does. */
#ifndef WS_KMOD_HOOK_H
#define WS_KMOD_HOOK_H

#include <linux/kvm_host.h>

/* Finds what it hooks into; -EOPNOTSUPP, with a line in the log, where it is not. */
int hook_init(void);

/*
 * From now on, at every entry of `kvm`'s vCPUs, these bits of MDCR_EL2 are clear. -EBUSY
 * if it is attached already, or too many are.
 */
int hook_attach(struct kvm *kvm, u64 clear);

/* When it returns, no vCPU of `kvm` runs with them clear any more. */
void hook_detach(struct kvm *kvm);

#endif
