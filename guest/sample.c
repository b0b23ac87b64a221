/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampling loop around one body: the phases of a boot, in order.
 *
 * Compiled once per row of the catalogue: BODY_PAGE is the page that holds the row's
 * body, BODY_ID the row. All loops are the same code around a different operation, so
 * that their differences are the operation's and not the compiler's.
 */
#include BODY_PAGE

#include "bench/mark.h"

/*
 * The loops begin a page. KVM on x86_64 fetches an instruction that it emulates, 15 bytes
 * or as many as are left of the page: near the end of a page the event would be shorter,
 * by 3 to 11 instructions, and a figure would depend on the code in front of the loops.
 */
__asm__(".text\n\t.balign 4096");

/* The row's struct body. Constant: the compiler inlines what its members point to. */
#define ROW	    ROW_OF(BODY_ID)
#define ROW_OF(x)   ROW_NAME(x)
#define ROW_NAME(x) body_##x

/* Whether the body, and not the loop, reads the clock (or the PMC). */
#define ROW_MEASURES (ROW.measure || ROW.reload)

enum operation {
	NOTHING,
	EVENT,
	TWIN,
};

BODY void run(enum operation op)
{
	uint64_t any;

	if (op == EVENT && ROW.read) {
		__asm__ volatile("" : "=r"(any));
		(void)ROW.read(any);
	} else if (op == EVENT)
		ROW.event(); // NOLINT(clang-analyzer-core.CallAndMessage): rows have both
	else if (op == TWIN)
		ROW.twin(); // NOLINT(clang-analyzer-core.CallAndMessage)
	else
		__asm__ volatile("" ::: "memory");
}

/* One operation that takes its own time: ticks, or counts of the PMC. */
BODY uint64_t measure(enum operation op)
{
	uint64_t start;

	if (op == EVENT && ROW.measure)
		return ROW.measure();
	if (op == TWIN && ROW.measure_twin)
		return ROW.measure_twin();
	if (op == NOTHING && ROW.measure_nothing)
		return ROW.measure_nothing();
	/* The VMM prepares what the next event needs. */
	if (op != NOTHING)
		doorbell_write(ABI_DOORBELL(ABI_DOORBELL_AGAIN, 0));
	start = measure_start();
	run(op);
	return measure_stop() - start;
}

/* Whether the operation leaves its result in a register, in an event that is timed. */
#define ROW_READS(op) ((op) == EVENT && ROW.read && !ROW_MEASURES)

/* The register of read() before an event, before any counter is read. */
BODY uint64_t unread(enum operation op)
{
	uint64_t value = 0;

	if (ROW_READS(op))
		__asm__ volatile("" : "+r"(value));
	return value;
}

/* And after the event, behind all reads of counters. */
BODY void seen(enum operation op, uint64_t value)
{
	if (ROW_READS(op))
		ROW.seen(value); // NOLINT(clang-analyzer-core.CallAndMessage): with read
}

/* The operation between two serialised reads of the clock. `value`: of read() only. */
BODY uint64_t time_event(enum operation op, uint64_t *value)
{
	uint64_t start;

	if (ROW_MEASURES)
		return measure(op);
	start = clock_start();
	if (ROW_READS(op))
		*value = ROW.read(*value);
	else
		run(op);
	return clock_stop() - start;
}

/*
 * Ticks of `n` operations in a row, loop and clock included; where the body measures,
 * the sum of the measured parts.
 */
BODY uint64_t time_row(uint32_t n, enum operation op)
{
	uint64_t start, ticks = 0;

	if (ROW_MEASURES) {
		while (n--)
			ticks += measure(op);
		return ticks;
	}
	start = clock_start();
	while (n--)
		run(op);
	return clock_stop() - start;
}

/* Not inlined: the loops around the bodies stay what they are. */
static __attribute__((noinline)) bool repeats(const uint64_t *series, uint32_t n,
					      uint32_t block)
{
	return abi_repeats(series, n, block);
}

/* One sample per event. */
BODY void sample_events(enum abi_phase phase, const struct abi_params *params,
			enum operation op)
{
	uint64_t *series = runtime_phase_begin(phase);
	uint32_t i;

	MARK_HERE(MARK_PHASE_BEGIN(phase));
	for (i = 0; i < params->events && !repeats(series, i, params->repeat); i++) {
		uint64_t value = unread(op);

		series[i] = time_event(op, &value);
		seen(op, value);
	}
	MARK_HERE(MARK_PHASE_END(phase));
	runtime_phase_end(phase, i);
}

/* One copy of each for both lengths: the cost that does not depend on n cancels. */
static __attribute__((noinline)) uint64_t row_of_bodies(uint32_t n)
{
	return time_row(n, EVENT);
}

static __attribute__((noinline)) uint64_t row_of_nothing(uint32_t n)
{
	return time_row(n, NOTHING);
}

/* 2n operations less n operations: n operations, without the clock's cost. */
static void sample_batches(enum abi_phase phase, const struct abi_params *params,
			   uint64_t (*row)(uint32_t n))
{
	uint64_t *series = runtime_phase_begin(phase);
	uint32_t i;

	for (i = 0; i < params->batches && !repeats(series, i, !!params->repeat); i++) {
		uint64_t once = row(params->batch);

		series[i] = row(2 * params->batch) - once;
	}
	runtime_phase_end(phase, i);
}

/*
 * The PMC phases: how much of each event the guest's own PMC counts.
 *
 * The PMC is read just outside of the two reads of the clock, so that the cost of reading
 * the PMC (an exit each, where reads are trapped) is not in the clock's difference; and
 * in phases of their own, so that the cost is in no other figure either. The PMC counts a
 * part of its own reads: the phase PMC_NULL measures that part, and it is subtracted.
 */

/* Long against the clock's step and the reads; the loop itself does not exit. */
#define SPIN_ROUNDS 50000

struct pmc_pair {
	uint64_t counted, ticks;
};

BODY struct pmc_pair pmc_event(enum operation op)
{
	uint64_t first, counted, ticks, value;

	if (ROW_MEASURES) {
		ticks = measure(op);
		return (struct pmc_pair){ pmc_reads.last - pmc_reads.first, ticks };
	}
	value = unread(op);
	first = pmc_read();
	ticks = time_event(op, &value);
	/* Else the compiler subtracts before the PMC's read in one phase, behind it in
	 * another. */
	if (ROW.read)
		__asm__ volatile("" : "+r"(ticks));
	counted = pmc_read() - first;
	seen(op, value);
	return (struct pmc_pair){ counted, ticks };
}

/* A body that waits for a deadline measures without measure_start(). */
static bool pmc_can_measure(void)
{
	if (!ROW_MEASURES)
		return true;
	pmc_reads.wanted = true;
	(void)measure(EVENT);
	return pmc_reads.last;
}

/*
 * false, and no samples: two reads returned the same count, although the reads themselves
 * count. Where the counter is the machine's own, the host may have stopped the counter.
 */
BODY bool pmc_events(enum abi_phase phase, enum abi_phase clock_series, uint32_t n,
		     enum operation op)
{
	uint64_t *ticks = runtime_series(clock_series);
	uint64_t *counted = runtime_phase_begin(phase);
	bool counts = true;
	uint32_t i;

	for (i = 0; i < n; i++) {
		const struct pmc_pair pair = pmc_event(op);

		counted[i] = pair.counted;
		ticks[i] = pair.ticks;
		counts = counts && pair.counted;
	}
	if (!counts)
		n = 0;
	runtime_series_end(clock_series, n);
	runtime_phase_end(phase, n);
	return counts;
}

/* Samples `from` to `to` of a loop without exits: the PMC's rate against the clock. */
static void pmc_spins(uint32_t from, uint32_t to)
{
	uint64_t *counted = runtime_series(ABI_PHASE_SPIN);
	uint64_t *ticks = runtime_series(ABI_PHASE_SPIN_CLOCK);

	for (; from < to; from++) {
		uint64_t count = pmc_read(), start = clock_start();
		uint32_t rounds;

		for (rounds = 0; rounds < SPIN_ROUNDS; rounds++)
			run(NOTHING);
		ticks[from] = clock_stop() - start;
		counted[from] = pmc_read() - count;
	}
	runtime_series_end(ABI_PHASE_SPIN, from);
	runtime_series_end(ABI_PHASE_SPIN_CLOCK, from);
}

static void sample_pmc(const struct abi_params *params)
{
	uint32_t n = params->pmc_events;

	if (!n || !pmc_setup() || !pmc_can_measure())
		return;
	if (!pmc_events(ABI_PHASE_PMC_NULL, ABI_PHASE_PMC_NULL_CLOCK, n, NOTHING))
		return;
	pmc_spins(0, params->spins / 2);
	if (pmc_events(ABI_PHASE_PMC, ABI_PHASE_PMC_CLOCK, n, EVENT)) {
		pmc_spins(params->spins / 2, params->spins);
	} else {
		runtime_series_end(ABI_PHASE_SPIN, 0);
		runtime_series_end(ABI_PHASE_SPIN_CLOCK, 0);
	}
}

/*
 * Less than the period of any timer tick (1 ms), and more than any exit. The first sleep
 * can be short: the tick's phase is not known.
 */
#define SLEEP_NS     400000
#define SLEEP_PROBES 4

/*
 * Stops if the CPU sleeps in the body until the host's timer interrupt. If no interrupt
 * comes at all, the state tells the host what hung.
 */
BODY void stop_if_body_sleeps(const struct abi_params *params)
{
	const uint64_t sleep = abi_ticks(params, clock_hz(), SLEEP_NS);
	uint32_t slept = 0, i;

	runtime_state(ABI_STATE_SLEEPS);
	for (i = 0; i < SLEEP_PROBES; i++) {
		uint64_t value = unread(EVENT);

		slept += time_event(EVENT, &value) >= sleep;
	}
	if (slept >= SLEEP_PROBES - 1)
		runtime_stop(ABI_STATE_SLEEPS);
	runtime_state(ABI_STATE_RUNNING);
}

void sample_all(const struct abi_params *params)
{
	uint32_t i;

	if (ROW.setup && !ROW.setup(params))
		runtime_stop(ABI_STATE_ABSENT);
	if (ROW.halts)
		stop_if_body_sleeps(params);
	runtime_phase_begin(ABI_PHASE_WARMUP);
	for (i = 0; i < params->warmup; i++) {
		if (ROW_MEASURES) {
			(void)measure(EVENT);
			(void)measure(TWIN);
		} else {
			run(EVENT);
			run(TWIN);
		}
	}
	runtime_phase_end(ABI_PHASE_WARMUP, 0);

	sample_events(ABI_PHASE_NULL, params, NOTHING);
	sample_events(ABI_PHASE_EVENT, params, EVENT);
	sample_events(ABI_PHASE_TWIN, params, TWIN);
	runtime_pace(ABI_PACE_MIDDLE);
	if (params->batch) {
		sample_batches(ABI_PHASE_BATCH, params, row_of_bodies);
		sample_batches(ABI_PHASE_BATCH_NULL, params, row_of_nothing);
	}
	/* Last: a running PMC can make every exit more expensive. */
	sample_pmc(params);
	if (ROW.end)
		ROW.end();
}

/* Not called where only the boot CPU has something to do. */
void sample_secondary(uint32_t index)
{
	if (ROW.secondary)
		ROW.secondary(index);
}
