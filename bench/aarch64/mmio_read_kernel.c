/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load of GICD_IIDR, a distributor register that KVM's GIC answers from a
 * constant. (GICv2 has it at the same offset.)
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "ldr w0, [x1, #8]" ::"i"(ABI_AARCH64_GICD_GPA)
			 : "x0", "x1", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "nop" ::"i"(ABI_AARCH64_GICD_GPA)
			 : "x0", "x1", "memory");
}
