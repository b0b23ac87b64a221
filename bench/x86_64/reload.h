/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that need an exit to user space before each event (NEEDS_RELOAD). */
#ifndef WS_BENCH_X86_64_RELOAD_H
#define WS_BENCH_X86_64_RELOAD_H

#include "bench/body.h"

/* A doorbell that asks the VMM for what the next event needs, if anything. */
BODY void reload(void)
{
	__asm__ volatile("outl %0, %1" ::"a"(ABI_DOORBELL(ABI_DOORBELL_AGAIN, 0)),
			 "d"((uint16_t)ABI_X86_64_DOORBELL_PORT)
			 : "memory");
}

/* BODY_PAIR() for them. */
#define RELOAD_PAIR(ready, exits, ...)                                                   \
	BODY uint64_t body_measure(void)                                                 \
	{                                                                                \
		uint64_t start;                                                          \
                                                                                         \
		reload();                                                                \
		start = measure_start();                                                 \
		__asm__ volatile(ready "\n\t" exits __VA_ARGS__);                        \
		return measure_stop() - start;                                           \
	}                                                                                \
                                                                                         \
	BODY uint64_t body_measure_twin(void)                                            \
	{                                                                                \
		uint64_t start;                                                          \
                                                                                         \
		reload();                                                                \
		start = measure_start();                                                 \
		__asm__ volatile(ready "\n\tnop" __VA_ARGS__);                           \
		return measure_stop() - start;                                           \
	}

#endif
