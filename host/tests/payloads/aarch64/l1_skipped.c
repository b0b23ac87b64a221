/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of L1 and L2 on aarch64 whose instruction is skipped (skipped.h). */
#include "host/tests/payloads/skipped.h"

/* The vectors of L1 have no pair of it. */
__asm__(".macro tlbi operation\n\t"
	"nop\n\t"
	".endm");

#include "bench/aarch64/nested.c" // NOLINT(bugprone-suspicious-include): its rows

void sample_all(const struct abi_params *params)
{
	switch (params->events) {
	case 101:
		run_skipped(&body_nested_l1_hcr_el2, params);
		break;
	case 102:
		run_skipped(&body_nested_l1_vttbr_el2, params);
		break;
	case 103:
		run_skipped(&body_nested_tlbi, params);
		break;
	case 104:
		run_skipped(&body_nested_l1_tlbi, params);
		break;
	}
}
