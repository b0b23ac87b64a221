/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write of ICC_SGI1R_EL1 with an empty target list: it always traps, as who the
 * targets are is KVM's to know, and here they are none.
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
	__asm__ volatile("msr " ICC_SGI1R ", xzr" ::: "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "memory");
}
