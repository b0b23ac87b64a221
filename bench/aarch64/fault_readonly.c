/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Store to a slot that is read-only: the VMM gets it as MMIO, and swallows it. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "str wzr, [x1]" ::"i"(ABI_SLOT_GPA)
			 : "x1", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "nop" ::"i"(ABI_SLOT_GPA)
			 : "x1", "memory");
}
