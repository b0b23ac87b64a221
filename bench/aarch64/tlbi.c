/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLBI VMALLE1IS with the barriers that make it complete: broadcast to all
 * CPUs, without an exit.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("dsb ishst\n\t"
			 "tlbi vmalle1is\n\t"
			 "dsb ish\n\t"
			 "isb" ::
				 : "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("dsb ishst\n\t"
			 "nop\n\t"
			 "dsb ish\n\t"
			 "isb" ::
				 : "memory");
}
