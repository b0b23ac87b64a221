/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's clock on aarch64: the virtual counter.
 *
 * CNTVCT_EL0 may be read early (Arm ARM, D11.1.2): an ISB precedes the read, and a second
 * ISB keeps the body from beginning before the read. ISB orders instructions, not memory:
 * a body that writes and does not trap needs its own DSB.
 */
#ifndef WS_GUEST_AARCH64_CLOCK_H
#define WS_GUEST_AARCH64_CLOCK_H

#include <stdint.h>

#include "bench/abi.h"
#include "bench/mark.h"

#define GUEST_RAM_GPA ABI_AARCH64_RAM_GPA

/* A serialised read of `counter`, and the mark of its instruction. */
#define CLOCK_READ(ticks, counter, mark)                                                 \
	__asm__ volatile("isb\n\t" mark "mrs %0, " counter "\n\tisb"                     \
			 : "=r"(ticks)                                                   \
			 :                                                               \
			 : "memory")

static inline __attribute__((always_inline)) uint64_t clock_start(void)
{
	uint64_t ticks;

	CLOCK_READ(ticks, "cntvct_el0", MARK_START);
	return ticks;
}

static inline __attribute__((always_inline)) uint64_t clock_stop(void)
{
	uint64_t ticks;

	CLOCK_READ(ticks, "cntvct_el0", MARK_STOP);
	return ticks;
}

/*
 * The counter that the host reads as well: the physical counter, without an offset unless
 * the VMM sets one (KVM_ARM_SET_COUNTER_OFFSET).
 */
static inline __attribute__((always_inline)) uint64_t clock_shared(void)
{
	uint64_t ticks;

	CLOCK_READ(ticks, "cntpct_el0", MARK_SHARED);
	return ticks;
}

static inline uint64_t clock_hz(void)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

#endif
