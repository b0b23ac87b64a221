/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last phases of a boot: how much of each event the guest's own PMC counts. A part
 * of guest/sample.c.
 *
 * The PMC is read just outside of the two reads of the clock, so that what those reads
 * cost (an exit each, where they are trapped) is not in the clock's difference; and
 * apart from the other phases, so that it is in none of their figures either. What the
 * PMC counts of the reads themselves is in PMC_NULL, too, and gets subtracted.
 */
#ifndef WS_GUEST_SAMPLE_PMC_H
#define WS_GUEST_SAMPLE_PMC_H

/* Long against the clock's step and the reads; it does not exit of itself. */
#define SPIN_ROUNDS 50000

struct pmc_pair {
	uint64_t counted, ticks;
};

#ifdef BODY_MEASURES

BODY struct pmc_pair pmc_event(operation *op)
{
	uint64_t ticks = op();

	return (struct pmc_pair){ pmc_looks.last - pmc_looks.first, ticks };
}

/* Not all bodies measure from here to there: some wait for a deadline. */
static bool pmc_can_look(void)
{
	pmc_looks.wanted = true;
	(void)EVENT();
	return pmc_looks.last;
}

#else

BODY struct pmc_pair pmc_event(operation *op)
{
	uint64_t first = pmc_read();
	uint64_t ticks = time_event(op);

	return (struct pmc_pair){ pmc_read() - first, ticks };
}

static bool pmc_can_look(void)
{
	return true;
}

#endif

/*
 * false, and no samples: between two reads nothing was counted, not even the reads. Where
 * the counter is the machine's own, the host may have stopped it.
 */
BODY bool pmc_events(enum abi_phase phase, enum abi_phase clock_series, uint32_t n,
		     operation *op)
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

/* Samples `from` to `to` of a loop that runs in the guest alone. */
static void pmc_spins(uint32_t from, uint32_t to)
{
	uint64_t *counted = runtime_series(ABI_PHASE_SPIN);
	uint64_t *ticks = runtime_series(ABI_PHASE_SPIN_CLOCK);

	for (; from < to; from++) {
		uint64_t count = pmc_read(), start = clock_start();
		uint32_t rounds;

		for (rounds = 0; rounds < SPIN_ROUNDS; rounds++)
			nothing();
		ticks[from] = clock_stop() - start;
		counted[from] = pmc_read() - count;
	}
	runtime_series_end(ABI_PHASE_SPIN, from);
	runtime_series_end(ABI_PHASE_SPIN_CLOCK, from);
}

static void sample_pmc(const struct abi_params *params)
{
	uint32_t n = params->pmc_events;

	if (!n || !pmc_setup() || !pmc_can_look())
		return;
	if (!pmc_events(ABI_PHASE_PMC_NULL, ABI_PHASE_PMC_NULL_CLOCK, n, event_nothing))
		return;
	pmc_spins(0, params->spins / 2);
	if (pmc_events(ABI_PHASE_PMC, ABI_PHASE_PMC_CLOCK, n, EVENT)) {
		pmc_spins(params->spins / 2, params->spins);
	} else {
		runtime_series_end(ABI_PHASE_SPIN, 0);
		runtime_series_end(ABI_PHASE_SPIN_CLOCK, 0);
	}
}

#endif
