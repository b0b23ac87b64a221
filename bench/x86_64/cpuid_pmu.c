/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID leaf 0xA, the vPMU's description: KVM looks further down its table than for
 * leaf 0.
 */
#include "bench/body.h"

BODY_PAIR("mov $0xa, %%eax\n\t"
	  "xor %%ecx, %%ecx",
	  "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
