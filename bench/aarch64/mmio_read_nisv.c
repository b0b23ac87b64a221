/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-byte load with write-back from a gpa that no memory slot covers: for such
 * instructions the syndrome does not say which register is loaded (ESR_EL2.ISS.ISV = 0).
 * KVM hands it to the VMM, which has to make sense of it, and here just skips it.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "ldr w0, [x1], #4" ::"i"(ABI_AARCH64_MMIO_GPA)
			 : "x0", "x1", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "nop" ::"i"(ABI_AARCH64_MMIO_GPA)
			 : "x0", "x1", "memory");
}
