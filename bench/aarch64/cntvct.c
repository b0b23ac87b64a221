/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read of CNTVCT_EL0, without a barrier: the barriers around it are the loop's. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mrs x0, cntvct_el0" ::: "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "x0", "memory");
}
