/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From where to where bodies measure that do it themselves (BODY_MEASURES). */
#ifndef WS_GUEST_MEASURE_H
#define WS_GUEST_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h" /* of the guest's architecture */
#include "pmc.h"   /* likewise */

/* The PMC around the clock, in the phase that is about it; see sample_pmc.inc. */
__attribute__((unused)) static struct {
	bool wanted;
	uint64_t first, last;
} pmc_looks;

static inline __attribute__((always_inline)) uint64_t measure_start(void)
{
	if (pmc_looks.wanted)
		pmc_looks.first = pmc_read();
	return clock_start();
}

static inline __attribute__((always_inline)) uint64_t measure_stop(void)
{
	uint64_t ticks = clock_stop();

	if (pmc_looks.wanted)
		pmc_looks.last = pmc_read();
	return ticks;
}

#endif
