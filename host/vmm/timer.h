/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run timers: what ends a run after a budget. Each belongs to the thread that opens
 * it and interrupts that thread's KVM_RUN by a signal.
 */
#ifndef WS_VMM_TIMER_H
#define WS_VMM_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

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
	int companion_fd; /* TIMER_INSNS: cycles beside it; see timer.c. -1: none */
};

/* Opens a timer. 0 or -errno and `why`: -ENOENT where the machine has no PMU. */
int timer_open(struct run_timer *t, enum timer_kind kind, uint64_t budget, char *why,
	       size_t why_bytes);
void timer_close(struct run_timer *t);

/* Starts it anew; stops it. 0 or -errno. vcpu_run() calls both. `t` may be NULL. */
int timer_arm(struct run_timer *t);
void timer_disarm(struct run_timer *t);

/* Cycles or instructions counted since it was armed; 0 for TIMER_POSIX. */
uint64_t timer_count(const struct run_timer *t);

/* Whether the calling thread's timer went off since it was armed. */
bool timer_expired(void);

/*
 * The deadline of all runs of the calling thread together, beside each run's own timer:
 * from the deadline on, every vcpu_run() of this thread stops with VCPU_STOP_TIMEOUT.
 * Nothing is armed or disarmed around a run, so a run costs the same with it. One per
 * thread. 0 or -errno and `why`.
 */
struct watchdog {
	timer_t posix;
	bool running;
};
int watchdog_start(struct watchdog *w, uint64_t ns, char *why, size_t why_bytes);
void watchdog_stop(struct watchdog *w);

/* Whether the calling thread's deadline has passed. */
bool watchdog_expired(void);

#endif
