/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rate of the shared clock, measured: not every machine has it in a register. */
#include <time.h>

#include "host/vmm/clock.h"

/* Long enough for six digits. */
#define SPAN_NS 10000000u

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_hz(void)
{
	uint64_t start_ns = now_ns(), start = clock_now(), ns, ticks;

	do {
		ns = now_ns() - start_ns;
		ticks = clock_now() - start;
	} while (ns < SPAN_NS);
	return (uint64_t)((double)ticks * 1e9 / (double)ns + 0.5);
}
