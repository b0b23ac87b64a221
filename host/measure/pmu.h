/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU of the host, of KVM and of each guest: readings for the document; and the
 * guest's PMU against the manual (bench/pmu_tests.def).
 */
#ifndef WS_MEASURE_PMU_H
#define WS_MEASURE_PMU_H

#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/measure/plan.h"
#include "host/result/result.h"
#include "host/selftest/selftest.h"
#include "host/targets/target.h"

/*
 * Where `plan` holds rows of the vPMU map: fills in r->pmu, a guest for each of their
 * configs. 0, or the negative errno of a boot that failed, with `err`.
 */
int pmu_readings_add(struct target *t, const struct plan *plan, struct result *r,
		     struct error *err);

/* Adds this machine's PMU, and the one that its KVM offers. */
void pmu_readings_add_host(enum arch arch, struct result *r);

/*
 * Of `row` under pmu-mediated: RDPMC exits unless the vPMU has as many counters, of the
 * same width, as the host's PMU (kvm_need_rdpmc_intercept() in arch/x86/kvm/pmu.c), by
 * CPUID. The row stays HANDLED_VARIES if `r` does not have both.
 */
void pmu_expect(struct bench *row, const struct config *config, const struct result *r);

/* The rows outside of the catalogue that read and test a guest's PMU; NULL: another `id`.
 */
const struct bench *pmu_row(const char *id);

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
