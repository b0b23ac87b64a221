/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own PMC on x86_64: a counter of cycles of the vPMU, where there is one. */
#ifndef WS_GUEST_X86_64_PMC_H
#define WS_GUEST_X86_64_PMC_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/x86_64/pmc_choose.h"

/*
 * Sets a counter going, and pmc_read() on it. false: there is none, or it faults, or
 * stands still.
 */
bool pmc_setup_event(enum pmc_event event, enum pmc_kind kind);

/* The same, and its overflow interrupts by the local APIC's LVT. */
bool pmc_setup_interrupt(enum pmc_event event, enum pmc_kind kind);

/* The counter that was set going. */
extern struct pmc_counter pmc_counter;

/* Where it goes on; of -N, as many bits as it has. */
void pmc_write(uint64_t count);

static inline bool pmc_setup(void)
{
	return pmc_setup_event(PMC_CYCLES, PMC_ANY);
}

/* What RDPMC wants in ECX; pmc_setup() says. */
extern uint32_t pmc_index;

/* Reads are ordered as the clock's are: guest/x86_64/clock.h. Handlers may, too. */
static inline __attribute__((always_inline, no_caller_saved_registers)) uint64_t
pmc_read(void)
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
