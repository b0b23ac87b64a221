/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decodes the registers of PMU_READINGS_* (bench/pmu.h), field by field. Pure
 * functions, tested against values computed by hand.
 */
#ifndef WS_REPORT_PMU_DECODE_H
#define WS_REPORT_PMU_DECODE_H

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

/* The name of an architecture's nth field, or NULL after the last. */
const char *pmu_field_name(enum arch arch, size_t nth);

/* The value as text. false: the register is not known, and `text` is "?". */
bool pmu_field_text(enum arch arch, size_t nth, const struct pmu_values *v,
		    char text[PMU_TEXT_BYTES]);

/* The field's register: an index of pmu_reading_names[arch]. */
size_t pmu_field_reading(enum arch arch, size_t nth);

/*
 * The name of the nth event that the PMU can count: architectural events on x86_64
 * (CPUID leaf 0AH), common events on aarch64. NULL after the last, or if the events are
 * not known.
 */
const char *pmu_event_name(enum arch arch, const struct pmu_values *v, size_t nth);

/* Whether the registers that list the events are known. */
bool pmu_events_known(enum arch arch, const struct pmu_values *v);

#endif
