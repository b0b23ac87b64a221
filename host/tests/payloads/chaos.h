/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the chaos payloads of both architectures share: random numbers, lies in the
 * report, and the end. host/tests/hostile/hostile writes kind and seed into the image.
 */
#ifndef WS_TESTS_PAYLOADS_CHAOS_H
#define WS_TESTS_PAYLOADS_CHAOS_H

#include "clock.h" /* of the guest's architecture: GUEST_RAM_GPA */
#include "guest/runtime.h"

enum chaos_kind {
	CHAOS_STREAM,  /* random instructions */
	CHAOS_ACCESS,  /* wild memory, MMIO, ports, MSRs, system registers */
	CHAOS_REWRITE, /* code that rewrites itself */
	CHAOS_STORM,   /* interrupts */
	CHAOS_LIES,    /* lies in the report and to the doorbell */
};

/* The image is patched: the compiler must not know the values. */
struct chaos_order {
	char mark[8];
	uint64_t kind, seed;
};
static volatile struct chaos_order chaos_order = { "wschaos", CHAOS_LIES, 1 };

static volatile struct abi_page *const chaos_page =
	(volatile struct abi_page *)(GUEST_RAM_GPA + ABI_PAGE_OFFSET);

/* splitmix64 (Steele, Lea, Flood, 2014), from a state. */
static uint64_t chaos_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint32_t chaos_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(chaos_next(state) >> 32) % n;
}

/* A number at which a host may break, or any number. */
static uint64_t chaos_lie(uint64_t *state)
{
	uint64_t any = chaos_next(state);

	switch (chaos_below(state, 5)) {
	case 0:
		return any;
	case 1:
		return 1ull << (any & 63);
	case 2:
		return 0 - (any & 3);
	case 3:
		return ABI_SERIES_MAX - 1 + (any & 3);
	default:
		return any & 0xff;
	}
}

/* The address of something that the host reads, or the guest runs: a word. */
static volatile uint64_t *chaos_shared(uint64_t *state)
{
	const uint64_t page = GUEST_RAM_GPA + ABI_PAGE_OFFSET;
	uint64_t bytes;

	switch (chaos_below(state, 4)) {
	case 0:
		bytes = sizeof(struct abi_page);
		break;
	case 1:
		bytes = ABI_PAGE_BYTES;
		break;
	case 2:
		bytes = ABI_PAGE_BYTES + ABI_PHASES * ABI_SERIES_MAX * 8ull;
		break;
	default:
		return &chaos_page->report.samples[chaos_below(state, ABI_PHASES)];
	}
	return (volatile uint64_t *)(page + chaos_next(state) % bytes / 8 * 8);
}

/* A report as of a guest that measured, with a few lies. */
static void chaos_lies(uint64_t *state)
{
	volatile struct abi_report *report = &chaos_page->report;
	const volatile struct abi_params *params = &chaos_page->params;
	uint32_t events = params->events, phase, i;

	for (phase = ABI_PHASE_NULL; phase < ABI_PHASE_BATCH; phase++) {
		uint64_t *series = runtime_series((enum abi_phase)phase);

		for (i = 0; i < events && i < ABI_SERIES_MAX; i++)
			series[i] = 100 + chaos_below(state, 8);
		report->phase = phase;
		runtime_doorbell(ABI_DOORBELL_BEGIN);
		runtime_doorbell(ABI_DOORBELL_END);
		report->samples[phase] = events;
	}
	for (i = chaos_below(state, 12); i; i--)
		*chaos_shared(state) = chaos_lie(state);
	for (i = chaos_below(state, 12); i; i--)
		machine_doorbell((uint32_t)chaos_lie(state) & ~0x3u);
}

/* Ends the payload in one of many ways; a few never end. */
static void __attribute__((noreturn)) chaos_end(uint64_t *state)
{
	if (chaos_below(state, 2))
		chaos_lies(state);
	switch (chaos_below(state, 16)) {
	case 0:
		for (;;)
			machine_relax();
	case 1:
		machine_park();
	case 2:
	case 3:
		machine_off();
	case 4:
	case 5:
		runtime_stop((enum abi_state)chaos_below(state, 12));
	default:
		runtime_stop(ABI_STATE_DONE);
	}
}

/* The other vCPUs rewrite what the host reads, for as long as they run. */
void sample_secondary(uint32_t index)
{
	uint64_t state = chaos_order.seed ^ index;

	for (;;)
		*chaos_shared(&state) = chaos_lie(&state);
}

#endif
