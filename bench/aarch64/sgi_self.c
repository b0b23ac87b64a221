/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A software-generated interrupt to the CPU that sends it: from the write that traps
 * until the handler has acknowledged and ended it. The handler tells by X1.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "guest/aarch64/gic.h"

#define INTID 1

GIC_HANDLER(on_sgi, "mrs x16, " ICC_IAR1 "\n\t"
		    "msr " ICC_EOIR1 ", x16\n\t"
		    "mov x1, #1\n\t");

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init())
		return BODY_ABSENT;
	gic_enable(INTID);
	gic_handler(on_sgi);
	return BODY_PRESENT;
}

BODY void body(void)
{
	__asm__ volatile("mov x0, %0\n\t"
			 "mov x1, #0\n\t"
			 "msr " ICC_SGI1R ", x0\n\t"
			 "1: cbz x1, 1b" ::"r"(GIC_SGI(INTID, 0))
			 : "x0", "x1", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x0, %0\n\t"
			 "mov x1, #1\n\t"
			 "nop\n\t"
			 "1: cbz x1, 1b" ::"r"(GIC_SGI(INTID, 0))
			 : "x0", "x1", "memory");
}
