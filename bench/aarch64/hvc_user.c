/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HVC with a function that KVM's SMCCC filter sends to the VMM, which answers. */
#include "bench/body.h"

#define FUNCTION_LOW  (ABI_AARCH64_HVC_USER & 0xffff)
#define FUNCTION_HIGH (ABI_AARCH64_HVC_USER >> 16)

BODY void body(void)
{
	__asm__ volatile("mov w0, %0\n\t"
			 "movk w0, %1, lsl #16\n\t"
			 "hvc #0" ::"i"(FUNCTION_LOW),
			 "i"(FUNCTION_HIGH)
			 : "x0", "x1", "x2", "x3", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov w0, %0\n\t"
			 "movk w0, %1, lsl #16\n\t"
			 "nop" ::"i"(FUNCTION_LOW),
			 "i"(FUNCTION_HIGH)
			 : "x0", "x1", "x2", "x3", "memory");
}
