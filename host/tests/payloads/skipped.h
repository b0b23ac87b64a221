/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows whose instruction the CPU or KVM skips: wherever a page of bodies executes it,
 * there is the twin's NOP. One image for all rows of an architecture, chosen by the
 * number of events: run_skipped() ends the boot as the row does, or without samples.
 */
#ifndef WS_TESTS_PAYLOADS_SKIPPED_H
#define WS_TESTS_PAYLOADS_SKIPPED_H

#include "bench/body.h"

#undef BODY_PAIR
#define BODY_PAIR(id, ready, exits, ...)                                                 \
	BODY void id##_event(void)                                                       \
	{                                                                                \
		__asm__ volatile(ready "\n\tnop" __VA_ARGS__);                           \
	}                                                                                \
                                                                                         \
	BODY void id##_twin(void)                                                        \
	{                                                                                \
		__asm__ volatile(ready "\n\tnop" __VA_ARGS__);                           \
	}

/* An odd number: an event that toggles leaves a change. */
#define SKIPPED_EVENTS 3

static void run_skipped(const struct body *row, const struct abi_params *params)
{
	uint32_t i;

	if (row->setup && !row->setup(params))
		runtime_stop(ABI_STATE_ABSENT);
	runtime_phase_begin(ABI_PHASE_EVENT);
	for (i = 0; i < SKIPPED_EVENTS; i++) {
		if (row->measure)
			row->measure();
		else
			row->event();
	}
	runtime_phase_end(ABI_PHASE_EVENT, 0);
	row->end();
}

#endif
