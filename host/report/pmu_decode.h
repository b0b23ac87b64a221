/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the registers of PMU_READINGS_* (bench/pmu.h) say, field by field. Pure functions:
 * tested against values worked out by hand, as no machine at hand has most of it.
 */
#ifndef WS_VIEW_PMU_DECODE_H
#define WS_VIEW_PMU_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "bench/pmu.h"

/* By index of pmu_reading_names[arch]. */
struct pmu_values {
	bool known[PMU_READINGS_MAX];
	uint64_t value[PMU_READINGS_MAX];
};

#define PMU_TEXT_BYTES 48

/* The fields of an architecture's table: the nth's name, or NULL behind the last. */
const char *pmu_field_name(enum arch arch, size_t nth);

/*
 * Its value in words or figures, and the same for all who read it. false: the register
 * behind it is not known, and `text` is "?".
 */
bool pmu_field_text(enum arch arch, size_t nth, const struct pmu_values *v,
		    char text[PMU_TEXT_BYTES]);

/* The register behind it: an index of pmu_reading_names[arch]. */
size_t pmu_field_reading(enum arch arch, size_t nth);

/*
 * The nth of the events that can be counted and have a name of the architecture's:
 * x86_64 the architectural ones (CPUID leaf 0AH), aarch64 the common ones. `nth` counts
 * on from 0; NULL behind the last, or where it is not known.
 */
const char *pmu_event_name(enum arch arch, const struct pmu_values *v, size_t nth);

/* Whether the registers behind the events are known. */
bool pmu_events_known(enum arch arch, const struct pmu_values *v);

#endif
