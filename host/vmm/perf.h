/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's counters of a vCPU thread, split into what was counted while the guest
 * ran (exclude_host) and while the host did (exclude_guest). Where the machine has no
 * PMU, or lets nobody count, there are software events and a reason; no figure is ever
 * computed in place of one that was not counted.
 */
#ifndef WS_VMM_PERF_H
#define WS_VMM_PERF_H

#include <stdbool.h>
#include <stdint.h>

enum perf_event {
	PERF_GUEST_CYCLES, /* group leader */
	PERF_GUEST_INSNS,
	PERF_HOST_CYCLES, /* group leader */
	PERF_HOST_INSNS,
	PERF_TASK_CLOCK_NS, /* group leader; software: always there */
	PERF_CONTEXT_SWITCHES,
	PERF_EVENTS,
};

struct perf_counters {
	int fd[PERF_EVENTS]; /* -1: not counted */
	char why[160];	     /* why the hardware's are not; "" if they are */
};

struct perf_values {
	/* Valid where `counted`: the event exists, and was on the PMU all the time. */
	uint64_t value[PERF_EVENTS];
	bool counted[PERF_EVENTS];
};

/* "guest_cycles"; how a document names it. */
const char *perf_name(enum perf_event event);

/*
 * Starts counting the calling thread, from zero. 0, also if only software events could
 * be had (p->why), or -errno with p->why if not even these. perf_close() in any case.
 */
int perf_open(struct perf_counters *p);
void perf_close(struct perf_counters *p);

/* From any thread. Two readings' difference is what a phase cost. 0 or -errno. */
int perf_read(const struct perf_counters *p, struct perf_values *values);

#endif
