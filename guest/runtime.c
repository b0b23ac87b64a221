/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime of a payload: from the first C instruction to the last bell. */
#include "guest/runtime.h"

#include "clock.h" /* of the guest's architecture: clock_*, GUEST_RAM_GPA */

/* Reads of the clock while its smallest step is sought. */
#define CLOCK_READS 1000

static volatile struct abi_page *const page =
	(volatile struct abi_page *)(GUEST_RAM_GPA + ABI_PAGE_OFFSET);

struct fixup {
	uint64_t insn, resume;
};
extern const struct fixup __fixup_start[], __fixup_end[];

uint64_t *runtime_series(enum abi_phase phase)
{
	return (uint64_t *)(GUEST_RAM_GPA + ABI_SERIES_OFFSET) +
	       (uint64_t)phase * ABI_SERIES_MAX;
}

void runtime_ring(enum abi_bell bell)
{
	if (page->params.flags & ABI_FLAG_BELL)
		machine_bell(ABI_BELL(bell, page->report.phase));
}

uint64_t *runtime_phase_begin(enum abi_phase phase)
{
	page->report.phase = phase;
	runtime_ring(ABI_BELL_BEGIN);
	return runtime_series(phase);
}

void runtime_series_end(enum abi_phase series, uint32_t samples)
{
	page->report.samples[series] = samples;
}

void runtime_phase_end(enum abi_phase phase, uint32_t samples)
{
	runtime_series_end(phase, samples);
	runtime_ring(ABI_BELL_END);
}

void runtime_stop(enum abi_state state)
{
	page->report.state = state;
	runtime_ring(ABI_BELL_STOP);
	machine_off();
}

uint64_t runtime_fault(const struct abi_fault *fault)
{
	const struct fixup *f;
	uint64_t resume = 0;

	/* To the end: a body costs the same wherever the compiler copied it to. */
	for (f = __fixup_start; f < __fixup_end; f++)
		if (f->insn == fault->pc)
			resume = f->resume;
	if (resume) {
		page->report.faults[page->report.phase]++;
		return resume;
	}
	page->report.fault.vector = fault->vector;
	page->report.fault.syndrome = fault->syndrome;
	page->report.fault.pc = fault->pc;
	page->report.fault.address = fault->address;
	runtime_stop(ABI_STATE_FAULT);
}

/* Stage-2 faults on the series would otherwise land inside timed events. */
static void touch_series(uint32_t from, uint32_t to, uint32_t samples)
{
	uint32_t phase, i;

	for (phase = from; phase < to; phase++)
		for (i = 0; i < samples; i += 4096 / sizeof(uint64_t))
			*(volatile uint64_t *)(runtime_series(phase) + i) = 0;
}

/* The smallest non-zero difference of two reads that follow each other. */
static uint64_t smallest_step(void)
{
	uint64_t last = clock_start(), least = ~0ull;
	uint32_t i;

	for (i = 0; i < CLOCK_READS; i++) {
		uint64_t now = clock_start();

		if (now != last && now - last < least)
			least = now - last;
		last = now;
	}
	return least == ~0ull ? 0 : least;
}

void runtime_main(void)
{
	const struct abi_params params = page->params;

	page->report.magic = ABI_MAGIC;
	if (params.magic != ABI_MAGIC || params.version != ABI_VERSION ||
	    params.events > ABI_SERIES_MAX || params.batches > ABI_SERIES_MAX ||
	    params.pmc_events > ABI_SERIES_MAX || params.spins > ABI_SERIES_MAX)
		runtime_stop(ABI_STATE_REFUSED);
	page->report.state = ABI_STATE_RUNNING;
	machine_init(&params);
	touch_series(0, ABI_PHASE_PMC_NULL,
		     params.events > params.batches ? params.events : params.batches);
	touch_series(ABI_PHASE_PMC_NULL, ABI_PHASES, params.pmc_events);
	page->report.clock_hz = clock_hz();
	page->report.clock_step = smallest_step();
	sample_all(&params);
	runtime_stop(ABI_STATE_DONE);
}

/* For payloads that are nothing but the boot CPU's. */
__attribute__((weak)) void sample_secondary(uint32_t index)
{
	(void)index;
}

void runtime_secondary(uint32_t index)
{
	sample_secondary(index);
	machine_park();
}
