/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampling loop around one body: what happens in a boot, phase by phase.
 *
 * Compiled once per benchmark, with BODY_FILE naming the body. All loops are
 * the same code around a different operation, so their differences are the
 * operation's and not the compiler's.
 */
#include BODY_FILE

#include "bench/mark.h"

#include "clock.h" /* of the guest's architecture */
#include "guest/runtime.h"
#include "pmc.h" /* of the guest's architecture */

BODY void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

#ifdef BODY_MEASURES

/* The operation answers its own ticks. */
typedef uint64_t operation(void);

#define EVENT	   body_measure
#define EVENT_TWIN body_measure_twin

BODY uint64_t event_nothing(void)
{
#ifdef BODY_COUNTS
	return body_measure_nothing();
#else
	uint64_t start = measure_start();

	nothing();
	return measure_stop() - start;
#endif
}

BODY uint64_t time_event(operation *op)
{
	return op();
}

/* The sum of the parts that count: what is between them does not. */
BODY uint64_t time_row(uint32_t n, operation *op)
{
	uint64_t ticks = 0;

	while (n--)
		ticks += op();
	return ticks;
}

#else

typedef void operation(void);

#define EVENT	      body
#define EVENT_TWIN    body_twin
#define event_nothing nothing

/* The operation between two serialised reads. */
BODY uint64_t time_event(operation *op)
{
	uint64_t start = clock_start();

	op();
	return clock_stop() - start;
}

/* Ticks for `n` operations in a row, loop and clock included. */
BODY uint64_t time_row(uint32_t n, operation *op)
{
	uint64_t start = clock_start();

	while (n--)
		op();
	return clock_stop() - start;
}

#endif

/* One sample per event. */
BODY void sample_events(enum abi_phase phase, uint32_t n, operation *op)
{
	uint64_t *series = runtime_phase_begin(phase);
	uint32_t i;

	MARK_HERE(MARK_PHASE_BEGIN(phase));
	for (i = 0; i < n; i++)
		series[i] = time_event(op);
	MARK_HERE(MARK_PHASE_END(phase));
	runtime_phase_end(phase, n);
}

/* One copy of each for both lengths: what is not per operation cancels. */
static __attribute__((noinline)) uint64_t row_of_bodies(uint32_t n)
{
	return time_row(n, EVENT);
}

static __attribute__((noinline)) uint64_t row_of_nothing(uint32_t n)
{
	return time_row(n, event_nothing);
}

/* The second row less the first: n operations, without the clock's cost. */
static void sample_batches(enum abi_phase phase, const struct abi_params *params,
			   uint64_t (*row)(uint32_t n))
{
	uint64_t *series = runtime_phase_begin(phase);
	uint32_t i;

	for (i = 0; i < params->batches; i++) {
		uint64_t once = row(params->batch);

		series[i] = row(2 * params->batch) - once;
	}
	runtime_phase_end(phase, params->batches);
}

#include "guest/sample_pmc.inc"

#ifdef BODY_HALTS

/*
 * Less than the period of any timer tick (1 ms, on a clock of 1 GHz and more), and more
 * than any exit. The first sleep may be a short one: the tick's phase is not known.
 */
#define SLEEP_TICKS  400000
#define SLEEP_PROBES 4

/*
 * Whether the CPU sleeps in the body until the host's timer interrupt ends the sleep. The
 * state tells the host what hung if no interrupt comes at all.
 */
static void stop_if_body_sleeps(void)
{
	uint32_t slept = 0, i;

	runtime_state(ABI_STATE_SLEEPS);
	for (i = 0; i < SLEEP_PROBES; i++)
		slept += time_event(EVENT) >= SLEEP_TICKS;
	if (slept >= SLEEP_PROBES - 1)
		runtime_stop(ABI_STATE_SLEEPS);
	runtime_state(ABI_STATE_RUNNING);
}

#endif

void sample_all(const struct abi_params *params)
{
	uint32_t i;

#ifdef BODY_HAS_SETUP
	if (body_setup(params) == BODY_ABSENT)
		runtime_stop(ABI_STATE_ABSENT);
#endif
#ifdef BODY_HALTS
	stop_if_body_sleeps();
#endif
	runtime_phase_begin(ABI_PHASE_WARMUP);
	for (i = 0; i < params->warmup; i++) {
		(void)EVENT();
		(void)EVENT_TWIN();
	}
	runtime_phase_end(ABI_PHASE_WARMUP, 0);

	sample_events(ABI_PHASE_NULL, params->events, event_nothing);
	sample_events(ABI_PHASE_EVENT, params->events, EVENT);
	sample_events(ABI_PHASE_TWIN, params->events, EVENT_TWIN);
	runtime_pace(ABI_PACE_MIDDLE);
	if (params->batch) {
		sample_batches(ABI_PHASE_BATCH, params, row_of_bodies);
		sample_batches(ABI_PHASE_BATCH_NULL, params, row_of_nothing);
	}
	/* Last: a PMC that counts may make every exit dearer. */
	sample_pmc(params);
}

#ifdef BODY_HAS_SECONDARY
void sample_secondary(uint32_t index)
{
	body_secondary(index);
}
#endif
