/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of the capability table (wsbench pmu): reads the registers that describe
 * the guest's PMU. Replaces sample.c.
 */
#include "bench/pmu.h"

#include "guest/runtime.h"

#define PMMIR_EL1 "s3_0_c9_c14_6"

/* Into the two series; `faulted` is 1 if the register is UNDEFINED. */
#define STORE(reading, reg)                                                              \
	do {                                                                             \
		uint64_t value_ = 0, faulted_ = 1;                                       \
		__asm__ volatile("1: mrs %0, " reg "\n\t"                                \
				 "mov %1, #0\n\t"                                        \
				 "2:\n\t" RUNTIME_FIXUP("1b", "2b")                      \
				 : "+r"(value_), "+r"(faulted_));                        \
		values[reading] = value_;                                                \
		faulted[reading] = faulted_;                                             \
	} while (0)

void sample_all(const struct abi_params *params)
{
	uint64_t *values = runtime_series(ABI_PHASE_EVENT);
	uint64_t *faulted = runtime_series(ABI_PHASE_TWIN);

	if (params->events != PMU_READINGS_ON_AARCH64)
		runtime_stop(ABI_STATE_REFUSED);
	STORE(PMU_ID_AA64DFR0, "id_aa64dfr0_el1");
	STORE(PMU_PMCR, "pmcr_el0");
	STORE(PMU_PMCEID0, "pmceid0_el0");
	STORE(PMU_PMCEID1, "pmceid1_el0");
	STORE(PMU_PMMIR, PMMIR_EL1);
	runtime_series_end(ABI_PHASE_NULL, params->events);
	runtime_series_end(ABI_PHASE_EVENT, params->events);
	runtime_series_end(ABI_PHASE_TWIN, params->events);
}
