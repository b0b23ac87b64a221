/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload of row fp_first_use that uses FP before each event, as if KVM restored the
 * registers at every entry: the event does not trap.
 */
#include "bench/body.h"

#define CPACR_FPEN (3ull << 20)

BODY bool fp_used_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("msr cpacr_el1, %0\n\t"
			 "isb" ::"r"(CPACR_FPEN));
	return true;
}

BODY uint64_t fp_used_measure(void)
{
	uint64_t start;

	doorbell_write(ABI_DOORBELL(ABI_DOORBELL_AGAIN, 0));
	__asm__ volatile("fmov d0, xzr" ::: "memory");
	start = measure_start();
	__asm__ volatile("fmov d0, xzr" ::: "memory");
	return measure_stop() - start;
}

BODY_ROW_OF(fp_used, .setup = fp_used_setup, .measure = fp_used_measure,
	    .measure_twin = fp_used_measure, .reload = true);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  fp_used
#include "guest/sample.c"
