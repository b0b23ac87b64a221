/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Benchmarks that the host times (TIMED_BY_HOST): kicks, timers, injection, register
 * access, creation. The function of a row creates VMs, runs the `host_timed` payload
 * (guest/host_timed.c) in them, and stores samples where a payload would have.
 */
#ifndef WS_TARGETS_HOST_TIMED_H
#define WS_TARGETS_HOST_TIMED_H

#include "host/targets/target.h"
#include "host/vmm/vmm.h"

struct host_timed {
	int kvm_fd;
	/* CPUs of the calling thread and of a second thread; NULL: not pinned. */
	const int *cpus;
	const struct vm_config *config;
	const struct boot_request *rq; /* rq->image is the row's payload */
	struct boot_report *rep;
	struct error *err;
	struct vcpu *booting; /* host_timed_boot(): no doorbell so far; or NULL */
	bool exact;	      /* count waits, and do not time them */
	struct boot_waits begin;
	uint64_t began;	      /* host_timed_suffice(): the clock at the first sample */
	uint64_t first, last; /* host_timed_note(): the clock in a series of VMs */
};

/*
 * The function of a row stores rq->params.events samples of the host's clock
 * (host/vmm/timer.h) in series EVENT, or as many as suffice (host_timed_suffice()), and
 * samples of the cost of reading the clock in series NULL; the other series stay empty.
 * Returns 0 with rep->outcome set, or a negative errno with h->err. The caller has
 * started the thread's watchdog (host/vmm/timer.h) with the time limit of the boot.
 */
int host_timed_irq_inject(struct host_timed *h);
int host_timed_irq_inject_eoi(struct host_timed *h);
int host_timed_irqfd_inject(struct host_timed *h);
int host_timed_msi_inject(struct host_timed *h);
int host_timed_msi_irqfd_inject(struct host_timed *h);
int host_timed_its_lpi_stream(struct host_timed *h);
int host_timed_kick_signal(struct host_timed *h);
int host_timed_kick_immediate_exit(struct host_timed *h);
int host_timed_overshoot_posix(struct host_timed *h);
int host_timed_overshoot_perf(struct host_timed *h);
int host_timed_insn_stop(struct host_timed *h);

int host_timed_exit_out(struct host_timed *h);
int host_timed_exit_in(struct host_timed *h);
int host_timed_immediate_exit(struct host_timed *h);
int host_timed_vmm_overhead(struct host_timed *h);
int host_timed_state_get_all(struct host_timed *h);
int host_timed_state_sync_lazy(struct host_timed *h);
int host_timed_state_sync_always(struct host_timed *h);
int host_timed_state_sync_regs(struct host_timed *h);

int host_timed_dirty_log_get(struct host_timed *h);
int host_timed_dirty_log_clear(struct host_timed *h);
int host_timed_dirty_log_start(struct host_timed *h);
int host_timed_dirty_log_stop(struct host_timed *h);
int host_timed_memslot_create(struct host_timed *h);
int host_timed_memslot_move(struct host_timed *h);
int host_timed_memslot_delete(struct host_timed *h);
int host_timed_pre_fault(struct host_timed *h);
int host_timed_attributes_private(struct host_timed *h);
int host_timed_attributes_shared(struct host_timed *h);
int host_timed_userfaultfd(struct host_timed *h);

int host_timed_vm_switch(struct host_timed *h);
int host_timed_vm_stay(struct host_timed *h);
int host_timed_vm_create(struct host_timed *h);
int host_timed_vm_destroy(struct host_timed *h);
int host_timed_first_exit(struct host_timed *h);
int host_timed_checkpoint_save(struct host_timed *h);
int host_timed_checkpoint_restore(struct host_timed *h);

/*
 * For these functions. Creates a VM with the row's payload and `command` in its
 * parameters, ready to run. Sets h->err on failure; vm_destroy() in any case.
 */
int host_timed_open(struct host_timed *h, struct vm *vm, enum abi_command command,
		    const struct vm_listener *listener);

/*
 * host_timed_open(), and runs the payload to its first doorbell: from there on the guest
 * executes `command`. Later doorbells are ignored.
 */
int host_timed_boot(struct host_timed *h, struct vm *vm, enum abi_command command);

/* The end of the row's last VM: vm_destroy(), unless the boot keeps it. */
void host_timed_close(const struct host_timed *h, struct vm *vm);

/*
 * Runs the boot CPU until it stops because of `why`. Another reason fails the boot, and
 * so does the watchdog: -ECANCELED with rep->outcome set. -EINTR with h->err.
 */
int host_timed_run(struct host_timed *h, struct vm *vm, struct run_timer *budget,
		   enum vcpu_stop why);

/*
 * `n` zeros, whose pages are there: a store to them within an event does not fault. The
 * caller frees them. NULL with h->err: out of memory.
 */
uint64_t *host_timed_array(struct host_timed *h, uint32_t n);

/*
 * Allocates series EVENT and series NULL, and fills series NULL. `*n`: the number of
 * samples, rq->params.events but at most `most`. NULL with h->err: out of memory.
 */
uint64_t *host_timed_series(struct host_timed *h, uint32_t most, uint32_t *n);

/*
 * For rows whose events take long: how many suffice on an exact target, unless all are
 * asked for (rq->params.repeat), and on others.
 */
uint32_t host_timed_most(const struct host_timed *h, uint32_t noisy, uint32_t exact);

/*
 * Whether the first `n` samples of a series suffice; called after each of them. Only on
 * exact targets, whose clock counts instructions (rq->params.repeat):
 * - the last block of samples repeats the block before it (bench/abi.h), or
 * - HOST_TIMED_HEAVY instructions have been executed since the first sample, `n` is at
 *   least HOST_TIMED_LEAST and a multiple of HOST_TIMED_STEP, and three of four samples
 *   are one value, which then is the median.
 */
#define HOST_TIMED_HEAVY 4000000u
#define HOST_TIMED_LEAST 16u
#define HOST_TIMED_STEP	 8u
bool host_timed_suffice(struct host_timed *h, const uint64_t *series, uint32_t n);

/*
 * Sample `i` of a series of events that create or destroy a VM. host_timed_is_long():
 * whether its first `n` samples suffice, because HOST_TIMED_LONG instructions were
 * executed since the first one began. Only on exact targets: to destroy a VM of protected
 * KVM takes 3 to 4 x 10^8 of them from Linux 6.19 on.
 */
#define HOST_TIMED_LONG	  500000000u
#define HOST_TIMED_FEWEST 3u
void host_timed_note(struct host_timed *h, uint32_t i, uint64_t start, uint64_t end);
bool host_timed_is_long(const struct host_timed *h, uint32_t n);

/* Of the samples of `phase` only the first `n` were taken. */
void host_timed_shorten(struct host_timed *h, enum abi_phase phase, uint32_t n);

/*
 * Around the timed part of an event, outside of its reads of the clock: add the waiting
 * of the calling thread to rep->waits. On exact targets they count the waits only.
 */
void host_timed_wait_begin(struct host_timed *h);
void host_timed_wait_end(struct host_timed *h);

/* A listener that ignores all doorbells. */
extern const struct vm_listener host_timed_ignore;

/* Between two steps of the host: true, with rep->outcome set, after the time limit. */
bool host_timed_late(struct host_timed *h);

/* Sample `i` of a series that the payload stored. */
uint64_t host_timed_stamp(const struct vm *vm, enum abi_phase phase, uint32_t i);

/*
 * How many events the payload took: rq->params.events, or fewer if they repeat
 * (abi_repeats()): a multiple of the block, two blocks at least. 0: the payload reports
 * another number.
 */
uint32_t host_timed_stamped(const struct host_timed *h, const struct vm *vm);

/* Set rep->outcome: done, skipped, failed. Return 0. */
int host_timed_done(struct host_timed *h);
int host_timed_skip(struct host_timed *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int host_timed_crash(struct host_timed *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
