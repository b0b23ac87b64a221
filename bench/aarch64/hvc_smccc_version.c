/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMCCC_VERSION (Arm DEN 0028, 7.2): answered from a constant, like
 * PSCI_VERSION, but by another branch of KVM's dispatcher.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov w0, #0x80000000\n\t"
			 "hvc #0" ::
				 : "x0", "x1", "x2", "x3", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov w0, #0x80000000\n\t"
			 "nop" ::
				 : "x0", "x1", "x2", "x3", "memory");
}
