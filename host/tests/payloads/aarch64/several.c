/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several payloads in one image, chosen by the number of events: a lab boots one
 * machine for all of them (payloads.bats).
 */
#include "guest/runtime.h"

#define PAYLOAD(name) void name##_all(const struct abi_params *params)
PAYLOAD(fp_used);
PAYLOAD(hang);
PAYLOAD(nonsense);
PAYLOAD(page_fault);
PAYLOAD(timer_overflow);

#define sample_all fp_used_all
#include "host/tests/payloads/aarch64/fp_used.c"
#undef sample_all
#define sample_all hang_all
#include "host/tests/payloads/hang.c"
#undef sample_all
#define sample_all nonsense_all
#include "host/tests/payloads/nonsense.c"
#undef sample_all
#define sample_all page_fault_all
#include "host/tests/payloads/page_fault.c"
#undef sample_all
#define sample_all timer_overflow_all
#include "host/tests/payloads/aarch64/timer_overflow.c"
#undef sample_all

void sample_all(const struct abi_params *params)
{
	switch (params->events) {
	case 101:
		hang_all(params);
		break;
	case 103:
		nonsense_all(params);
		break;
	case 106:
		page_fault_all(params);
		break;
	case 107:
		timer_overflow_all(params);
		break;
	case 108:
		fp_used_all(params);
		break;
	}
}
