/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PSCI_VERSION by SMC. HCR_EL2.TSC traps it and KVM answers NOT_SUPPORTED, or
 * the call itself where the VM's conduit may be SMC. A machine without EL3 may
 * make it UNDEFINED before any trap.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov w0, #0x84000000\n\t"
			 "1: smc #0\n\t"
			 "2:\n\t" BODY_FIXUP("1b", "2b")::
				 : "x0", "x1", "x2", "x3", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov w0, #0x84000000\n\t"
			 "nop" ::
				 : "x0", "x1", "x2", "x3", "memory");
}
