/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WFE with an event pending (SEVL sets the event register), so that it has
 * nothing to wait for. KVM asks for a trap of WFE while other threads want the
 * CPU (HCR_EL2.TWE), but a WFE that need not wait does not have to trap.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("sevl\n\t"
			 "wfe" ::
				 : "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("sevl\n\t"
			 "nop" ::
				 : "memory");
}
