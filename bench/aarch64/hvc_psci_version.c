/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PSCI_VERSION (Arm DEN 0022, 5.3): the shortest call that KVM answers with
 * something useful.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov w0, #0x84000000\n\t"
			 "hvc #0" ::
				 : "x0", "x1", "x2", "x3", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov w0, #0x84000000\n\t"
			 "nop" ::
				 : "x0", "x1", "x2", "x3", "memory");
}
