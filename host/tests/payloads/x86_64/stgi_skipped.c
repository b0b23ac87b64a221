/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_stgi whose event is the twin, as if the CPU or KVM skipped the instruction.
 */
#include "bench/x86_64/nested_l1.c" // NOLINT(bugprone-suspicious-include): its set-up

BODY_ROW_OF(skipped, .event = nested_l1_stgi_twin, .twin = nested_l1_stgi_twin,
	    .setup = stgi_setup, .end = stgi_end);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  skipped
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
