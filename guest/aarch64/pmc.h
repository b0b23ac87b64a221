/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own PMC on aarch64: the cycle counter, which machine.c has started. */
#ifndef WS_GUEST_AARCH64_PMC_H
#define WS_GUEST_AARCH64_PMC_H

#include <stdbool.h>
#include <stdint.h>

/* Ordered as reads of the clock: guest/aarch64/clock.h. */
static inline __attribute__((always_inline)) uint64_t pmc_read(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\t"
			 "mrs %0, pmccntr_el0\n\t"
			 "isb"
			 : "=r"(count)
			 :
			 : "memory");
	return count;
}

#define PMC_CYCLES  (1ull << 31) /* in PMCNTENSET_EL0 */
#define PMC_CONTROL 0x41ull	 /* PMCR_EL0: LC, E */

/*
 * Only if the VM has a PMU. Enables the counter again: where the registers are the
 * machine's own, the host may have written them at any exit to user space since the boot.
 * false: the counter does not count.
 */
static inline bool pmc_setup(void)
{
	uint64_t count;

	__asm__ volatile("msr pmcntenset_el0, %0\n\t"
			 "msr pmcr_el0, %1\n\t"
			 "isb" ::"r"(PMC_CYCLES),
			 "r"(PMC_CONTROL));
	count = pmc_read();

	return pmc_read() != count;
}

#endif
