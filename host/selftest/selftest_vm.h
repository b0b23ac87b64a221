/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What self-tests share: a VM with their payload, and verdicts. */
#ifndef WS_SELFTEST_SELFTEST_VM_H
#define WS_SELFTEST_SELFTEST_VM_H

#include "bench/selftest.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

struct selftest {
	int kvm_fd;
	char reason[640]; /* why it failed or was skipped */
	char note[96];	  /* what a test did less of, on one line; or empty */
};

/* The result of a test. */
enum selftest_verdict {
	SELFTEST_PASS,
	SELFTEST_FAIL,
	SELFTEST_SKIP,
};

/* Set the reason. */
enum selftest_verdict selftest_fail(struct selftest *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
enum selftest_verdict selftest_skip(struct selftest *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* By vm->error: a skip for -ENOTSUP, a failure for all else. */
enum selftest_verdict selftest_error(struct selftest *t, const struct vm *vm, int err);

/* The default config of a VM. */
struct vm_config selftest_config(void);

/*
 * Creates a VM with the payload, which executes `params->command`. 0 or a negative errno
 * with vm->error; vm_destroy() it in any case.
 */
int selftest_open(struct selftest *t, struct vm *vm, const struct vm_config *config,
		  const struct vm_listener *listener, const struct abi_params *params);

/* selftest_open() for an existing VM, which may have run. */
int selftest_load(struct selftest *t, struct vm *vm, const struct abi_params *params);

/* The time limit of a test's guest. 0 or a negative errno with vm->error. */
int selftest_budget(struct vm *vm, struct run_timer *budget);

/* Runs all vCPUs until a doorbell stops the boot CPU: 0, or -errno with vm->error. */
int selftest_go(struct vm *vm);

/* The boot CPU alone, for `ns` at most; vcpu->stop says BUDGET or DOORBELL. */
int selftest_go_for(struct vm *vm, uint64_t ns);

/* The verdict from the payload's report. */
enum selftest_verdict selftest_done(struct selftest *t, struct vm *vm);

/* 0 while the payload runs; -EIO with vm->error if it has failed. */
int selftest_alive(struct vm *vm);

/* Number `n` of the payload's series EVENT. */
uint64_t selftest_seen(struct vm *vm, uint32_t n);

/* Compares the run loop's counts with KVM's; for guests without a halt in the kernel. */
enum selftest_verdict selftest_counters(struct selftest *t, struct vm *vm);

/* selftest_open(), selftest_go(), selftest_done(), selftest_counters(), vm_destroy(). */
enum selftest_verdict selftest_simple(struct selftest *t, const struct vm_config *config,
				      const struct vm_listener *listener,
				      const struct abi_params *params);

/* The tests, one file per family. */
enum selftest_verdict selftest_regs_drain(struct selftest *t);
enum selftest_verdict selftest_regs_lazy(struct selftest *t);
enum selftest_verdict selftest_regs_always(struct selftest *t);
enum selftest_verdict selftest_regs_run(struct selftest *t);
enum selftest_verdict selftest_regs_flags(struct selftest *t);
enum selftest_verdict selftest_regs_dump(struct selftest *t);
enum selftest_verdict selftest_regs_reset(struct selftest *t);
enum selftest_verdict selftest_access_widths(struct selftest *t);
enum selftest_verdict selftest_access_later(struct selftest *t);
enum selftest_verdict selftest_coalesced(struct selftest *t);
enum selftest_verdict selftest_coalesced_kick(struct selftest *t);
enum selftest_verdict selftest_ioeventfd(struct selftest *t);
enum selftest_verdict selftest_kvm_stats(struct selftest *t);
enum selftest_verdict selftest_slots(struct selftest *t);
enum selftest_verdict selftest_irq_line(struct selftest *t);
enum selftest_verdict selftest_irqfd(struct selftest *t);
enum selftest_verdict selftest_msi(struct selftest *t);
enum selftest_verdict selftest_msi_split(struct selftest *t);
enum selftest_verdict selftest_inject(struct selftest *t);
enum selftest_verdict selftest_inject_window(struct selftest *t);
enum selftest_verdict selftest_inject_halt(struct selftest *t);
enum selftest_verdict selftest_nmi(struct selftest *t);
enum selftest_verdict selftest_halt_kernel(struct selftest *t);
enum selftest_verdict selftest_breakpoints(struct selftest *t);
enum selftest_verdict selftest_hypercall_user(struct selftest *t);
enum selftest_verdict selftest_dirty_ring(struct selftest *t);
enum selftest_verdict selftest_eoi_split(struct selftest *t);
enum selftest_verdict selftest_bus_locks(struct selftest *t);
enum selftest_verdict selftest_pmu_msrs(struct selftest *t);
enum selftest_verdict selftest_vcpus_2(struct selftest *t);
enum selftest_verdict selftest_vcpus_2_break(struct selftest *t);
enum selftest_verdict selftest_checkpoint(struct selftest *t);
enum selftest_verdict selftest_checkpoint_user_irqchip(struct selftest *t);
enum selftest_verdict selftest_checkpoint_twice(struct selftest *t);
enum selftest_verdict selftest_checkpoint_its(struct selftest *t);
enum selftest_verdict selftest_checkpoint_slots(struct selftest *t);
enum selftest_verdict selftest_checkpoint_pending(struct selftest *t);
enum selftest_verdict selftest_checkpoint_vcpus(struct selftest *t);
enum selftest_verdict selftest_checkpoint_damaged(struct selftest *t);
enum selftest_verdict selftest_passthrough(struct selftest *t);
enum selftest_verdict selftest_passthrough_refusals(struct selftest *t);
enum selftest_verdict selftest_passthrough_counters(struct selftest *t);
enum selftest_verdict selftest_passthrough_hotplug(struct selftest *t);
enum selftest_verdict selftest_perf(struct selftest *t);
enum selftest_verdict selftest_kick_mask(struct selftest *t);
enum selftest_verdict selftest_kick_immediate(struct selftest *t);

#endif
