/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own PMC on aarch64: the cycle counter, which machine.c has set going. */
#ifndef WS_GUEST_AARCH64_PMC_H
#define WS_GUEST_AARCH64_PMC_H

#include <stdbool.h>
#include <stdint.h>

/* Reads are ordered as the clock's are: guest/aarch64/clock.h. */
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

/* Only where the VM was given a PMU. false: the counter stands still. */
static inline bool pmc_setup(void)
{
	uint64_t count = pmc_read();

	return pmc_read() != count;
}

#endif
