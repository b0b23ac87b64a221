/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of x86_64 whose instruction is skipped (skipped.h). */
#include "host/tests/payloads/skipped.h"

#include "guest/x86_64/pmu_code.h"

#include "bench/x86_64/apic.c" // NOLINT(bugprone-suspicious-include): its rows
#include "bench/x86_64/cr.c"   // NOLINT(bugprone-suspicious-include)

/* No machine here has TSX_CTRL: KERNEL_GS_BASE in its place. */
#define TSX_CTRL	      0x122
#define IN_PLACE(msr)	      ((msr) == TSX_CTRL ? 0xc0000102 : (msr))
#define try_wrmsr(msr, value) try_wrmsr(IN_PLACE(msr), value)
#define try_rdmsr(msr, value) try_rdmsr(IN_PLACE(msr), value)
#include "bench/x86_64/msr.c" // NOLINT(bugprone-suspicious-include)
#undef try_wrmsr
#undef try_rdmsr

#include "bench/x86_64/timer.c" // NOLINT(bugprone-suspicious-include)

static bool tsx_ctrl_setup(const struct abi_params *params)
{
	(void)params;
	return tsx_off();
}

/* As a CPU without AVX. */
static bool xsetbv_setup_sse(const struct abi_params *params)
{
	const bool has = xsetbv_setup(params);

	xsetbv_bytes = 0;
	return has;
}

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
	struct body cr4_pge = body_cr4_pge, xsetbv = body_xsetbv;
	struct body tsx_ctrl = body_wrmsr_tsx_ctrl;

	cr4_pge.event = cr4_pge_skipped;
	xsetbv.setup = xsetbv_setup_sse;
	tsx_ctrl.setup = tsx_ctrl_setup;
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
	case 109:
		run_skipped(&xsetbv, params);
		break;
	case 110:
		run_skipped(&body_wrmsr_spec_ctrl, params);
		break;
	case 111:
		run_skipped(&tsx_ctrl, params);
		break;
	case 112:
		run_skipped(&body_cr3, params);
		break;
	case 113:
		run_skipped(&body_invlpg, params);
		break;
	}
}
