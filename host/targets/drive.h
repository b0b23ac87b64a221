/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drivers have in common: a VM that runs the driven payload, and series. */
#ifndef WS_TARGET_DRIVE_H
#define WS_TARGET_DRIVE_H

#include "host/targets/driver.h"

/*
 * Builds a VM with the driven payload and `command` for it, ready to run. Sets
 * d->err on failure; drive_close() it in any case.
 */
int drive_open(struct drive *d, struct vm *vm, enum abi_command command,
	       const struct vm_listener *listener);
void drive_close(struct vm *vm);

/*
 * drive_open(), and runs the payload to its first doorbell: from here on the guest does
 * `command`. Nothing listens to its further doorbells.
 */
int drive_boot(struct drive *d, struct vm *vm, enum abi_command command);

/*
 * Runs the boot CPU until it stops for `why`. Anything else fails the boot, also a guest
 * that has not done so when the watchdog goes off: -ECANCELED with rep->outcome set.
 * -EINTR with d->err.
 */
int drive_run(struct drive *d, struct vm *vm, struct run_timer *budget,
	      enum vcpu_stop why);

/*
 * Room for `events` samples in series EVENT, and series NULL filled with the clock's
 * own cost. NULL with d->err if there is no memory. `*n` is what the row's request
 * and `most` allow.
 */
uint64_t *drive_series(struct drive *d, uint32_t most, uint32_t *n);

/* Between two steps of the host alone: true, with rep->outcome, past the time limit. */
bool drive_late(struct drive *d);

/* What the payload stored: sample `i` of its series. */
uint64_t drive_stamp(const struct vm *vm, enum abi_phase phase, uint32_t i);

/* The row is done, cannot run here, or did not do what it says. 0, always. */
int drive_done(struct drive *d);
int drive_skip(struct drive *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int drive_crash(struct drive *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The drivers, one file per family. */
int drive_immediate_exit(struct drive *d);
int drive_vm_create(struct drive *d);
int drive_first_exit(struct drive *d);
int drive_exit_out(struct drive *d);
int drive_exit_in(struct drive *d);
int drive_kick_signal(struct drive *d);
int drive_kick_immediate_exit(struct drive *d);
int drive_overshoot_posix(struct drive *d);
int drive_overshoot_perf(struct drive *d);
int drive_insn_stop(struct drive *d);
int drive_vmm_overhead(struct drive *d);
int drive_irq_inject(struct drive *d);
int drive_irq_inject_eoi(struct drive *d);
int drive_irqfd_inject(struct drive *d);
int drive_checkpoint_save(struct drive *d);
int drive_checkpoint_restore(struct drive *d);
int drive_state_get_all(struct drive *d);
int drive_state_sync_lazy(struct drive *d);
int drive_state_sync_always(struct drive *d);
int drive_state_sync_regs(struct drive *d);

#endif
