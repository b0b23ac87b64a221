/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDPMC of fixed counter 0, instructions retired; AMD has none, and a VM without a vPMU
 * neither: #GP.
 */
#include "bench/body.h"

BODY_PAIR("mov $0x40000000, %%ecx",
	  "1: rdpmc\n\t"
	  "2:\n\t" BODY_FIXUP("1b", "2b"),
	  ::
		  : "eax", "ecx", "edx", "cc", "memory")
