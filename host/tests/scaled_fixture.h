/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of boots on several vCPUs: the report of such a boot. */
#ifndef WS_TESTS_SCALED_FIXTURE_H
#define WS_TESTS_SCALED_FIXTURE_H

#include <stdint.h>
#include <stdlib.h>

#include "host/targets/target.h"

/* The report of a boot on n vCPUs: vCPU i has two events of `ticks[i]`. */
static inline void scaled_report(struct boot_report *rep, uint32_t n,
				 const uint64_t *ticks)
{
	boot_report_init(rep);
	rep->outcome = BOOT_DONE;
	rep->lanes = calloc(1, sizeof(*rep->lanes));
	rep->lanes->n = n;
	for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_TWIN; phase++) {
		rep->guest.samples[phase] = 2 * n;
		rep->series[phase] = calloc(2 * n, sizeof(uint64_t));
	}
	for (uint32_t i = 0; i < n; i++) {
		rep->series[ABI_PHASE_EVENT][2 * i] = ticks[i];
		rep->series[ABI_PHASE_EVENT][2 * i + 1] = ticks[i];
		rep->lanes->lane[i] = (struct boot_lane){
			.events = 2,
			.counted = 2,
			.milli_events = 2000,
			.counts = { 2, 0, 0, true, 0, 0, -1, -1 },
		};
	}
}

#endif
