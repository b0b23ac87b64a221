/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of x86_64 whose instruction is skipped (skipped.h). */
#include "host/tests/payloads/skipped.h"

#include "bench/x86_64/apic.c"	// NOLINT(bugprone-suspicious-include): its rows
#include "bench/x86_64/cr.c"	// NOLINT(bugprone-suspicious-include)
#include "bench/x86_64/msr.c"	// NOLINT(bugprone-suspicious-include)
#include "bench/x86_64/timer.c" // NOLINT(bugprone-suspicious-include)

/* The page has no pair for it. */
static void cr4_pge_skipped(void)
{
	__asm__ volatile(CR4_TOGGLE "nop"
			 : "+m"(cr4)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}

void sample_all(const struct abi_params *params)
{
	struct body cr4_pge = body_cr4_pge;

	cr4_pge.event = cr4_pge_skipped;
	switch (params->events) {
	case 101:
		run_skipped(&body_cr0_wp, params);
		break;
	case 102:
		run_skipped(&cr4_pge, params);
		break;
	case 103:
		run_skipped(&body_cr8_write, params);
		break;
	case 104:
		run_skipped(&body_xsetbv, params);
		break;
	case 105:
		run_skipped(&body_wrmsr_passthrough, params);
		break;
	case 106:
		run_skipped(&body_apic_tpr, params);
		break;
	case 107:
		run_skipped(&body_eoi, params);
		break;
	case 108:
		run_skipped(&body_tsc_deadline, params);
		break;
	}
}
