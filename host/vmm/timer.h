/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run timers end a run after a budget; the watchdog ends all runs of a thread at a
 * deadline. Both belong to the thread that starts them and interrupt its KVM_RUN by a
 * signal.
 */
#ifndef WS_VMM_TIMER_H
#define WS_VMM_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "host/lib/error.h"

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
 */
struct watchdog {
	timer_t posix;
	bool running;
};
int watchdog_start(struct watchdog *w, uint64_t ns, struct error *err);
void watchdog_stop(struct watchdog *w);

/* Whether the calling thread's deadline has passed. */
bool watchdog_expired(void);

#endif
