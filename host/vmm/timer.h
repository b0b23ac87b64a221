/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock that host and guest share; run timers, which end a run after a budget; and
 * the watchdog, which ends all runs of a thread at a deadline. Timer and watchdog belong
 * to the thread that starts them and interrupt its KVM_RUN by a signal.
 *
 * The clock is the TSC on x86_64; on aarch64 the physical counter, which the guest reads
 * as CNTPCT_EL0 and the host, whose own virtual offset is zero, as CNTVCT_EL0.
 */
#ifndef WS_VMM_TIMER_H
#define WS_VMM_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "host/lib/error.h"
#include "host/vmm/vmm.h"

/*
 * The host's reading, serialised on both sides. `wsbench explain` recognises an event of
 * a row that the host times by its reads: clock_now() at what the row times, clock_run()
 * and clock_ran() as a vCPU's run begins and ends, and clock_glance() for all else.
 */
uint64_t clock_now(void);
uint64_t clock_run(void);
uint64_t clock_ran(void);
uint64_t clock_glance(void);

/* Its rate, measured against CLOCK_MONOTONIC. */
uint64_t clock_hz(void);

/*
 * The guest's reading minus the host's at the same moment. 0, or -ENOTSUP where KVM does
 * not report it (x86_64: KVM_VCPU_TSC_OFFSET, Linux 5.16).
 */
int clock_guest_offset(const struct vcpu *vcpu, uint64_t *offset);

enum timer_kind {
	TIMER_POSIX,  /* budget in ns of CLOCK_MONOTONIC */
	TIMER_CYCLES, /* in CPU cycles, guest and host: perf-event overflow */
	TIMER_INSNS,  /* in guest instructions: perf-event overflow, exclude_host */
};

struct run_timer {
	enum timer_kind kind;
	uint64_t budget;
	timer_t posix;
	int perf_fd;	  /* -1: not a perf timer */
	int companion_fd; /* TIMER_INSNS: a cycle counter; see timer.c. -1: none */
};

/* Opens a timer. 0 or -errno: -ENOENT where the machine has no PMU. */
int timer_open(struct run_timer *t, enum timer_kind kind, uint64_t budget,
	       struct error *err);
void timer_close(struct run_timer *t);

/* (Re)starts and stops a timer, for vcpu_run(). `t` may be NULL. 0 or -errno. */
int timer_arm(struct run_timer *t);
void timer_disarm(struct run_timer *t);

/* Cycles or instructions counted since timer_arm(); 0 for TIMER_POSIX. */
uint64_t timer_count(const struct run_timer *t);

/* Whether the calling thread's timer expired since timer_arm(). */
bool timer_expired(void);

/*
 * From the deadline on, every vcpu_run() of the calling thread stops with
 * VCPU_STOP_TIMEOUT. A run starts and stops nothing for it, so a run costs the same with
 * a watchdog. One per thread. 0 or -errno.
 *
 * `shared`: other processes can have the processors. The time in which a thread of this
 * process waits for one does not count, up to PROCESS_WALL times the limit: that of the
 * thread that waits longest, so that no thread has more than the limit of the processors.
 */
struct watchdog {
	timer_t posix;
	bool running;
	uint64_t limit_ns, begin_ns;
};
int watchdog_start(struct watchdog *w, uint64_t ns, bool shared, struct error *err);
void watchdog_stop(struct watchdog *w);

/* Whether the calling thread's deadline has passed. */
bool watchdog_expired(void);

#endif
