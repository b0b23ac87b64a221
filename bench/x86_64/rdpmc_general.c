/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDPMC of general counter 0: trapped, and answered from the perf event behind it; #GP
 * where the VM has no vPMU. Timed with the fault, then.
 */
#include "bench/body.h"

BODY_PAIR("xor %%ecx, %%ecx",
	  "1: rdpmc\n\t"
	  "2:\n\t" BODY_FIXUP("1b", "2b"),
	  ::
		  : "eax", "ecx", "edx", "cc", "memory")
