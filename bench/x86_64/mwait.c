/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MWAIT without a monitor armed, which ends at once where it is let through. KVM traps
 * it and does nothing, also where CPUID does not offer it.
 */
#define BODY_HALTS 1
#include "bench/body.h"

BODY_PAIR("xor %%eax, %%eax\n\t"
	  "xor %%ecx, %%ecx",
	  "mwait", ::
		  : "eax", "ecx", "cc", "memory")
