/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HVC #0 with a function number in the vendor range that KVM does not know: it
 * answers SMCCC_RET_NOT_SUPPORTED (the same call kvm-unit-tests makes).
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov w0, #0x4b000000\n\t"
			 "hvc #0" ::
				 : "x0", "x1", "x2", "x3", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov w0, #0x4b000000\n\t"
			 "nop" ::
				 : "x0", "x1", "x2", "x3", "memory");
}
