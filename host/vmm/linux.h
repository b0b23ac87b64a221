/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM that boots Linux instead of a payload: its hardware, and the kernel's entry. */
#ifndef WS_VMM_LINUX_H
#define WS_VMM_LINUX_H

#include "host/vmm/vmm.h"

/* A kernel in guest memory, as its boot protocol requires it. */
struct linux_entry {	 /* gpas */
	uint64_t entry;	 /* x86_64: 64-bit code */
	uint64_t params; /* x86_64: boot_params; aarch64: the device tree */
	uint64_t tables; /* x86_64: page tables that map the first 4 GiB */
};

/*
 * A VM with one vCPU, `ram_bytes` of memory, interrupt controller and timer in KVM, whose
 * guest can be a hypervisor.
 */
void linux_vm_config(struct vm_config *config, uint64_t ram_bytes);

/* Resets the vCPU to the state in which a boot loader enters the kernel. */
int linux_enter(struct vm *vm, const struct linux_entry *entry);

#endif
