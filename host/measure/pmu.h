/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings of the PMU of the host, of KVM and of each guest, for the document. */
#ifndef WS_MEASURE_PMU_H
#define WS_MEASURE_PMU_H

#include "host/lib/error.h"
#include "host/measure/plan.h"
#include "host/result/result.h"

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

#endif
