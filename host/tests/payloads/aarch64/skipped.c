/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of aarch64 whose instruction is skipped (skipped.h). */
#include "host/tests/payloads/skipped.h"

/* These two pages have no pair of it: the assembler and another register replace it. */
#include "guest/aarch64/gic.h"
#undef ICC_IAR1
#define ICC_IAR1 ICC_RPR
__asm__(".macro smc immediate\n\t"
	"nop\n\t"
	".endm\n\t"
	".macro tlbi operation\n\t"
	"nop\n\t"
	".endm");

#include "bench/aarch64/gic.c"		// NOLINT(bugprone-suspicious-include): its rows
#include "bench/aarch64/instructions.c" // NOLINT(bugprone-suspicious-include)
#include "bench/aarch64/timer.c"	// NOLINT(bugprone-suspicious-include)

void sample_all(const struct abi_params *params)
{
	switch (params->events) {
	case 101:
		run_skipped(&body_cntv_cval, params);
		break;
	case 102:
		run_skipped(&body_cntp_cval, params);
		break;
	case 103:
		run_skipped(&body_icc_iar_eoir, params);
		break;
	case 104:
		run_skipped(&body_smc, params);
		break;
	case 105:
		run_skipped(&body_tlbi, params);
		break;
	case 106:
		run_skipped(&body_eoi, params);
		break;
	}
}
