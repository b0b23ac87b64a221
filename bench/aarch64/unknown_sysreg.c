/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read of APIAKEYLO_EL1, a pointer authentication key, which this VM was not
 * given: it traps (HCR_EL2.APK) and KVM injects an UNDEFINED exception, so
 * that what is timed is the exit, the injection and the payload's vectors. A
 * machine without the registers raises the exception itself.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("1: mrs x0, s3_0_c2_c1_0\n\t"
			 "2:\n\t" BODY_FIXUP("1b", "2b")::
				 : "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "x0", "memory");
}
