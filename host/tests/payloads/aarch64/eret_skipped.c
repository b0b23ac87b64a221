/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_eret_self without the ERET: nothing traps. */
#include "bench/aarch64/nested.c" // NOLINT(bugprone-suspicious-include): its set-up

BODY_PAIR(skipped,
	  "adr x0, 1f\n\t"
	  "msr elr_el2, x0\n\t"
	  "mov x0, #0x3c9\n\t"
	  "msr spsr_el2, x0\n\t"
	  "1:",
	  "nop", ::
		  : "x0", "cc", "memory")
BODY_ROW(skipped, .setup = l1_setup);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  skipped
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
