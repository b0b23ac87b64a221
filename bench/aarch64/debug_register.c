/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read of OSLSR_EL1, the OS lock's status: MDCR_EL2.TDOSA always traps it. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mrs x0, oslsr_el1" ::: "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "x0", "memory");
}
