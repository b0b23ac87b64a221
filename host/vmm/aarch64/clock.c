/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The physical counter, seen from the host. */
#include "bench/mark.h"
#include "host/vmm/clock.h"

/*
 * EL0 may always read CNTVCT_EL0, and Linux runs hosts with CNTVOFF_EL2 = 0 (with VHE
 * the offset does not apply to EL2 and its EL0 at all).
 */
uint64_t clock_now(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\t" MARK_SHARED "mrs %0, cntvct_el0\n\t"
			 "isb"
			 : "=r"(ticks)
			 :
			 : "memory");
	return ticks;
}

int clock_guest_offset(const struct vcpu *vcpu, uint64_t *offset)
{
	(void)vcpu;
	*offset = 0;
	return 0;
}
