/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write of CNTV_CVAL_EL0, the virtual timer's deadline, as far off as it goes
 * and with the timer off: the guest owns this timer, so nothing traps.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x0, #-1\n\t"
			 "msr cntv_cval_el0, x0" ::
				 : "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x0, #-1\n\t"
			 "nop" ::
				 : "x0", "memory");
}
