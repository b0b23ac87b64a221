/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read of PMCCNTR_EL0. KVM sets MDCR_EL2.TPM, so it traps to the vPMU; in a VM
 * without a PMU it is UNDEFINED, and what is timed is the exit, the injected
 * exception and the payload's vectors.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("1: mrs x0, pmccntr_el0\n\t"
			 "2:\n\t" BODY_FIXUP("1b", "2b")::
				 : "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "x0", "memory");
}
