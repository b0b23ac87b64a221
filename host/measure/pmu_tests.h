/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's PMU against the manual: bench/pmu_tests.def. */
#ifndef WS_MEASURE_PMU_TESTS_H
#define WS_MEASURE_PMU_TESTS_H

#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/selftest/selftest.h"
#include "host/targets/target.h"

/* Why a test failed, by the payload's three values of it (bench/pmu.h). */
void measure_pmu_reason(uint64_t result, uint64_t found, uint64_t other, char *text,
			size_t bytes);

/* The row outside of the catalogue whose payload runs the tests. */
extern const struct bench pmu_tests_row;

/*
 * Boots one guest of an opened target under a config, and reports in TAP. Returns the
 * number of failures, or a negative errno with `err`.
 */
int measure_pmu_tests(struct target *t, const struct config *config,
		      const struct selftest_watch *watch, struct error *err);

#endif
