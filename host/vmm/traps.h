/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What KVM answers itself unless it is told to ask the VMM. All: 0, or -ENOTSUP where
 * this KVM cannot, -errno; vm->error.
 */
#ifndef WS_VMM_TRAPS_H
#define WS_VMM_TRAPS_H

#include "host/vmm/vmm.h"

/*
 * aarch64, before the first run: hypercalls with these SMCCC function ids exit
 * (KVM_EXIT_HYPERCALL).
 */
int traps_smccc_to_user(struct vm *vm, uint32_t function, uint32_t functions);

/*
 * aarch64: an access outside of memory whose syndrome does not say what it is exits
 * (KVM_EXIT_ARM_NISV); otherwise KVM_RUN fails.
 */
int traps_nisv_to_user(struct vm *vm);

/*
 * x86_64: the guest's reads and writes of these MSRs, and of no others, exit
 * (KVM_EXIT_X86_RDMSR, _WRMSR). Up to 16 ranges of up to 64 each.
 */
struct traps_msrs {
	uint32_t first, count;
};
int traps_msrs_to_user(struct vm *vm, const struct traps_msrs *ranges, size_t n);

/* x86_64: hypercall 12 (KVM_HC_MAP_GPA_RANGE) exits (KVM_EXIT_HYPERCALL). */
int traps_hypercalls_to_user(struct vm *vm);

/*
 * x86_64: an access that locks the bus (a locked one across two cache lines) exits
 * (KVM_EXIT_X86_BUS_LOCK; Linux 5.12, and a CPU that notices).
 */
int traps_bus_locks_to_user(struct vm *vm);

/* Breakpoint instructions of all vCPUs exit (KVM_EXIT_DEBUG). */
int traps_breakpoints_to_user(struct vm *vm);

#endif
