/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of the time that the parts of a target's work take. */
#include <stddef.h>
#include <time.h>

#include "host/targets/target.h"

static uint64_t read_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t)
		       ? 0
		       : (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct timing_mark timing_mark(void)
{
	return (struct timing_mark){ read_ns(CLOCK_MONOTONIC),
				     read_ns(CLOCK_THREAD_CPUTIME_ID) };
}

void timing_add(struct timing *t, enum timing_part part, const struct timing_mark *from,
		uint64_t process_ns)
{
	struct timing_mark now = timing_mark();

	if (!t)
		return;
	__atomic_fetch_add(&t->sums[part].n, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&t->sums[part].wall_ns, now.wall_ns - from->wall_ns,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&t->sums[part].cpu_ns, now.cpu_ns - from->cpu_ns + process_ns,
			   __ATOMIC_RELAXED);
}

uint64_t timing_process_ns(pid_t pid)
{
	clockid_t clock;

	return pid <= 0 || clock_getcpuclockid(pid, &clock) ? 0 : read_ns(clock);
}
