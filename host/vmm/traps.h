/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which guest operations trap, and to whom, where the VMM can choose. All return 0,
 * -ENOTSUP where this KVM cannot, or another -errno.
 */
#ifndef WS_VMM_TRAPS_H
#define WS_VMM_TRAPS_H

#include "host/kmod/worldswitch_pmu.h"
#include "host/vmm/vmm.h"

/*
 * aarch64, before the first run: hypercalls with these SMCCC function ids exit
 * (KVM_EXIT_HYPERCALL).
 */
int traps_smccc_to_user(struct vm *vm, uint32_t function, uint32_t functions);

/*
 * aarch64: an access outside of memory without a valid syndrome exits
 * (KVM_EXIT_ARM_NISV); otherwise KVM_RUN fails.
 */
int traps_nisv_to_user(struct vm *vm);

/*
 * x86_64: the guest's reads and writes of these MSRs exit (KVM_EXIT_X86_RDMSR, _WRMSR),
 * all others do not. Up to 16 ranges of up to 64 MSRs each.
 */
struct traps_msrs {
	uint32_t first, count;
};
int traps_msrs_to_user(struct vm *vm, const struct traps_msrs *ranges, size_t n);

/* x86_64: hypercall 12 (KVM_HC_MAP_GPA_RANGE) exits (KVM_EXIT_HYPERCALL). */
int traps_hypercalls_to_user(struct vm *vm);

/*
 * x86_64: a locked access across two cache lines exits (KVM_EXIT_X86_BUS_LOCK; Linux 5.12
 * and a CPU that detects bus locks).
 */
int traps_bus_locks_to_user(struct vm *vm);

/*
 * x86_64: 0 if a loop of PAUSEs exits after equally many each time: KVM's module does not
 * increase the window of pause-loop exiting, or the PAUSE filter's count, at an exit.
 * -ENOTSUP: it does.
 */
int traps_pause_window_constant(int kvm_fd, struct error *err);

/* Breakpoint instructions of all vCPUs exit (KVM_EXIT_DEBUG). */
int traps_breakpoints_to_user(struct vm *vm);

/*
 * aarch64: PMU registers pass through to the hardware, by the module in host/kmod, from
 * passthrough_attach() to vm_destroy().
 *
 * The environment variable has the path of the module's file if the VMM may load it, as
 * labs do. Otherwise root loads the module.
 */
#define PASSTHROUGH_DEVICE	    "/dev/" WS_PMU_DEVICE
#define PASSTHROUGH_MODULE_VARIABLE "WORLDSWITCH_PASSTHROUGH_MODULE"

/* 0: the module can be used here; else -ENOTSUP. */
int passthrough_available(int kvm_fd, struct error *err);

/* Applies config.pmu_access, before the first run. */
int passthrough_attach(struct vm *vm);

#endif
