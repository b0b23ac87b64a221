/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * End of interrupt for INTID 1023, with no interrupt active: the write and nothing
 * else, as kvm-unit-tests' micro-bench has it.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "guest/aarch64/gic.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	return gic_init() ? BODY_PRESENT : BODY_ABSENT;
}

BODY void body(void)
{
	__asm__ volatile("mov x0, %0\n\t"
			 "msr " ICC_EOIR1 ", x0" ::"i"(GIC_SPURIOUS)
			 : "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x0, %0\n\t"
			 "nop" ::"i"(GIC_SPURIOUS)
			 : "x0", "memory");
}
