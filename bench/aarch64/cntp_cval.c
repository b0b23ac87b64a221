/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write of CNTP_CVAL_EL0, the physical timer's deadline, with the timer off. A
 * VHE host leaves this timer to the guest; other hosts emulate it, and the
 * write traps (CNTHCTL_EL2.EL1PCEN).
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x0, #-1\n\t"
			 "msr cntp_cval_el0, x0" ::
				 : "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x0, #-1\n\t"
			 "nop" ::
				 : "x0", "memory");
}
