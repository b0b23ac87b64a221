/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own PMC on x86_64: a counter of the vPMU. */
#ifndef WS_GUEST_X86_64_PMC_H
#define WS_GUEST_X86_64_PMC_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/x86_64/pmc_choose.h"

/*
 * Starts a counter, which pmc_read() then reads. false: no such counter, or it faults or
 * does not count.
 */
bool pmc_setup_event(enum pmc_event event, enum pmc_kind kind);

/* pmc_setup_event() with an overflow interrupt by the local APIC's LVT; so does every
 * later pmc_setup_event(). */
bool pmc_setup_interrupt(enum pmc_event event, enum pmc_kind kind);

/* The counter that was started. */
extern struct pmc_counter pmc_counter;

/* Sets the counter, truncated to its width: -N overflows after N counts. */
void pmc_write(uint64_t count);

static inline bool pmc_setup(void)
{
	return pmc_setup_event(PMC_CYCLES, PMC_ANY);
}

/* RDPMC's ECX, set by pmc_setup(). */
extern uint32_t pmc_index;

/* Ordered as reads of the clock: guest/x86_64/clock.h. Also for interrupt handlers. */
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
