/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Acknowledge with nothing pending, and end what was acknowledged (INTID 1023, which
 * the interface ignores). The virtual CPU interface does both by itself, unless the
 * machine's is broken and KVM traps it (ICH_HCR_EL2.TALL1).
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
	__asm__ volatile("mrs x0, " ICC_IAR1 "\n\t"
			 "msr " ICC_EOIR1 ", x0" ::
				 : "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop\n\t"
			 "nop" ::
				 : "x0", "memory");
}
