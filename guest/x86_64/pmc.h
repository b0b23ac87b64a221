/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own PMC on x86_64: a counter of cycles of the vPMU, where there is one. */
#ifndef WS_GUEST_X86_64_PMC_H
#define WS_GUEST_X86_64_PMC_H

#include <stdbool.h>
#include <stdint.h>

/* Sets a counter of cycles going. false: there is none, or it stands still. */
bool pmc_setup(void);

/* What RDPMC wants in ECX; pmc_setup() says. */
extern uint32_t pmc_index;

/* Reads are ordered as the clock's are: guest/x86_64/clock.h. */
static inline __attribute__((always_inline)) uint64_t pmc_read(void)
{
	uint64_t count;

	__asm__ volatile("lfence\n\t"
			 "rdpmc\n\t"
			 "shl $32, %%rdx\n\t"
			 "or %%rdx, %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "lfence"
			 : "=r"(count)
			 : "c"(pmc_index)
			 : "rax", "rdx", "cc", "memory");
	return count;
}

#endif
