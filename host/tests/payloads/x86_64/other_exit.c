/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload of row hypercall that executes CPUID: KVM handles one exit of each event. */
#include "bench/body.h"

BODY_PAIR(other_exit, "xor %%eax, %%eax", "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
BODY_ROW(other_exit);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  other_exit
#include "guest/sample.c"
