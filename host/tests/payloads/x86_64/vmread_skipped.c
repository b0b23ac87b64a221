/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_vmread whose VMREAD is skipped: its register keeps its value. */
#include "bench/x86_64/nested_l1.c" // NOLINT(bugprone-suspicious-include): its set-up

BODY uint64_t skip(uint64_t value)
{
	VMREAD_RIP("nop", value);
	return value;
}

BODY_ROW_OF(skipped, .read = skip, .seen = nested_l1_vmread_seen,
	    .twin = nested_l1_vmread_twin, .setup = vmx_setup);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  skipped
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
