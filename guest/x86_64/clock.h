/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's clock on x86_64: the time-stamp counter.
 *
 * RDTSC is not ordered against other instructions. LFENCE waits until all earlier
 * instructions have completed, and no later instruction begins before (Intel SDM 2B,
 * LFENCE and RDTSC; on AMD when DE_CFG.LfenceSerialize is set, which Linux does: AMD APM
 * 2, 3.2.8). So: fence, read, fence, on both sides. CPUID, the classic
 * serialising instruction, would exit.
 */
#ifndef WS_GUEST_X86_64_CLOCK_H
#define WS_GUEST_X86_64_CLOCK_H

#include <stdint.h>

#include "bench/abi.h"
#include "bench/mark.h"

/* Also for interrupt handlers: clang requires the attribute there. */
#define CLOCK_INLINE __attribute__((always_inline, no_caller_saved_registers))

#define GUEST_RAM_GPA ABI_X86_64_RAM_GPA

/*
 * A serialised read, and the mark of its instruction. The value is assembled before the
 * last fence, outside of the timed region.
 */
#define CLOCK_READ(ticks, mark)                                                          \
	__asm__ volatile("lfence\n\t" mark "rdtsc\n\t"                                   \
			 "shl $32, %%rdx\n\t"                                            \
			 "or %%rdx, %%rax\n\t"                                           \
			 "mov %%rax, %0\n\t"                                             \
			 "lfence"                                                        \
			 : "=r"(ticks)                                                   \
			 :                                                               \
			 : "rax", "rdx", "cc", "memory")

static inline CLOCK_INLINE uint64_t clock_start(void)
{
	uint64_t ticks;

	CLOCK_READ(ticks, MARK_START);
	return ticks;
}

static inline CLOCK_INLINE uint64_t clock_stop(void)
{
	uint64_t ticks;

	CLOCK_READ(ticks, MARK_STOP);
	return ticks;
}

/* The counter that the host reads as well, with a known offset. */
static inline CLOCK_INLINE uint64_t clock_shared(void)
{
	uint64_t ticks;

	CLOCK_READ(ticks, MARK_SHARED);
	return ticks;
}

/* No architectural register reports the frequency on every machine; the host knows it. */
static inline uint64_t clock_hz(void)
{
	return 0;
}

#endif
