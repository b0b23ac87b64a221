/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the timed bodies are written with.
 *
 * A page, bench/ARCH/PAGE.c, holds the bodies of one subject: for each row of the
 * catalogue the timed operation, the twin, set-up if any, and a BODY_ROW(). The build
 * compiles a page once per row, together with the sampling loop (guest/sample.c), and
 * BODY_ID names the row. Everything on a page is static, so that the compiler drops what
 * the row does not use.
 */
#ifndef WS_BENCH_BODY_H
#define WS_BENCH_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/abi.h"
#include "guest/runtime.h"
#include "clock.h"   /* of the guest's architecture */
#include "machine.h" /* of the guest's architecture */
#include "pmc.h"     /* of the guest's architecture */

/* Bodies are inlined into the sampling loop: no call between the reads of the clock. */
#define BODY static inline __attribute__((always_inline))

/* What a row consists of. All other members are optional. */
struct body {
	/*
	 * The timed operation with its arguments, and the same code with a NOP in place
	 * of the instruction that exits. Each is one asm statement: the loop puts
	 * serialised clock reads around the statement, and the compiler adds nothing.
	 */
	void (*event)(void);
	void (*twin)(void);

	/*
	 * Instead of these two, for an event that ends elsewhere than it began: both run
	 * one event and return the ticks of the part that counts, from measure_start()
	 * to measure_stop().
	 */
	uint64_t (*measure)(void);
	uint64_t (*measure_twin)(void);

	/*
	 * Samples are counts of a PMC, not ticks: measure_twin() returns the expected
	 * count, and this function the count of an empty sequence.
	 */
	uint64_t (*measure_nothing)(void);

	/*
	 * Instead of event(), for an instruction whose only result is in a register: the
	 * same, and the register, which has `value` before. seen() is called with it
	 * once per timed event of the phases EVENT and PMC, behind the last read of the
	 * clock and the PMC: no figure contains it.
	 */
	uint64_t (*read)(uint64_t value);
	void (*seen)(uint64_t value);

	/* Runs once, before the first body. false: the machine lacks what the row needs.
	 */
	bool (*setup)(const struct abi_params *params);

	/* Runs once, after the last body. */
	void (*end)(void);

	/*
	 * What the other vCPUs execute, forever. They start together with the boot CPU
	 * and must wait for what the boot CPU sets up.
	 */
	void (*secondary)(uint32_t index);

	/* An untimed exit to user space precedes each event (NEEDS_RELOAD). */
	bool reload;

	/*
	 * The body halts the CPU (HLT, MWAIT, WFI), and a pending event ends the halt. If
	 * the CPU sleeps until the host's next interrupt instead, the payload stops
	 * before it takes samples, and the row is skipped.
	 */
	bool halts;
};

/* In seen() or end(): stops the boot unless the row's instruction had its effect. */
BODY void must(bool effect)
{
	if (!effect)
		runtime_stop(ABI_STATE_NO_EFFECT);
}

/* The row `id` of the catalogue, with the members of struct body as given. */
#define BODY_ROW_OF(id, ...)                                                             \
	static const struct body body_##id __attribute__((unused)) = { __VA_ARGS__ }

/* The row `id` with id_event() and id_twin(), and further members. */
#define BODY_ROW(id, ...)                                                                \
	BODY_ROW_OF(id, .event = id##_event, .twin = id##_twin, __VA_ARGS__)

/*
 * id_event() and id_twin() from one source: the instructions that load the arguments,
 * the instruction that exits, and the operands and clobbers of both.
 */
#define BODY_PAIR(id, ready, exits, ...)                                                 \
	BODY void id##_event(void)                                                       \
	{                                                                                \
		__asm__ volatile(ready "\n\t" exits __VA_ARGS__);                        \
	}                                                                                \
                                                                                         \
	BODY void id##_twin(void)                                                        \
	{                                                                                \
		__asm__ volatile(ready "\n\tnop" __VA_ARGS__);                           \
	}

/*
 * The timed part of a body that measures itself. In the phases about the PMC, the PMC is
 * read as well, just outside of the clock: guest/sample.c.
 */
__attribute__((unused)) static struct {
	bool wanted;
	uint64_t first, last;
} pmc_reads;

BODY uint64_t measure_start(void)
{
	if (pmc_reads.wanted)
		pmc_reads.first = pmc_read();
	return clock_start();
}

BODY uint64_t measure_stop(void)
{
	uint64_t ticks = clock_stop();

	if (pmc_reads.wanted)
		pmc_reads.last = pmc_read();
	return ticks;
}

#endif
