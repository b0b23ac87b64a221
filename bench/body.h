/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a body file defines, and the words it may use.
 *
 * bench/ARCH/ID.c holds the functions below and nothing else that the
 * sampling loop (guest/sample.c) sees. They are inlined into the loop, so each
 * of body() and body_twin() should be one asm statement: the loop puts
 * serialised clock reads around it and the compiler can add nothing between.
 */
#ifndef WS_BENCH_BODY_H
#define WS_BENCH_BODY_H

#include <stdint.h>

#include "bench/abi.h"
#include "bench/fixup.h"

#define BODY static inline __attribute__((always_inline))

/* What body_setup() answers. */
enum body_presence {
	BODY_PRESENT,
	BODY_ABSENT, /* the machine does not have what the body is about */
};

/*
 * Once, before the first body. Only for bodies that have something to set up or
 * to look for; they say `#define BODY_HAS_SETUP 1` before including this file.
 */
#ifdef BODY_HAS_SETUP
BODY enum body_presence body_setup(const struct abi_params *params);
#endif

#ifndef BODY_MEASURES
/* The operation being timed, arguments and all. */
BODY void body(void);

/* The same code with a NOP for the instruction that exits. */
BODY void body_twin(void);

#else
/*
 * Instead, for a body that something must precede each time, or that ends
 * elsewhere than it began: `#define BODY_MEASURES 1`, and these do all that one
 * event needs and answer the ticks of the part that counts, from a measure_start()
 * to a measure_stop(). Those are clock_start() and clock_stop(), and where the PMC is
 * looked at, too, it is done just outside of them.
 */
#include "guest/measure.h"

BODY uint64_t body_measure(void);
BODY uint64_t body_measure_twin(void);

/*
 * `#define BODY_COUNTS 1`: what is answered is not ticks but what a PMC counted, the
 * twin's what it must count, and this what it counts of nothing.
 */
#ifdef BODY_COUNTS
BODY uint64_t body_measure_nothing(void);
#endif
#endif

/*
 * `#define BODY_HALTS 1`: the body halts the CPU (HLT, MWAIT, WFI), and something that
 * is pending already ends the halt. Where the CPU sleeps until the host's next interrupt
 * instead, the payload stops before it takes samples, and the row is skipped.
 */

/*
 * What the other vCPUs do, for ever; `#define BODY_HAS_SECONDARY 1`. They run as
 * soon as the VM does: what they share with the boot CPU, they must wait for.
 */
#ifdef BODY_HAS_SECONDARY
BODY void body_secondary(uint32_t index);
#endif

/*
 * body() and body_twin() from one source: what makes ready, what exits, and the
 * operands and clobbers that both have.
 */
#define BODY_PAIR(ready, exits, ...)                                                     \
	BODY void body(void)                                                             \
	{                                                                                \
		__asm__ volatile(ready "\n\t" exits __VA_ARGS__);                        \
	}                                                                                \
                                                                                         \
	BODY void body_twin(void)                                                        \
	{                                                                                \
		__asm__ volatile(ready "\n\tnop" __VA_ARGS__);                           \
	}

#endif
