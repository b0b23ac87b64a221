/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several payloads in one image, chosen by the number of events: a lab boots one
 * machine for all of them (payloads.bats).
 */
#include "guest/runtime.h"

#define PAYLOAD(name) void name##_all(const struct abi_params *params)
PAYLOAD(hang);
PAYLOAD(jump_to_mmio);
PAYLOAD(nonsense);
PAYLOAD(triple_fault);
PAYLOAD(undelivered);

#define sample_all hang_all
#include "host/tests/payloads/hang.c"
#undef sample_all
#define sample_all jump_to_mmio_all
#include "host/tests/payloads/x86_64/jump_to_mmio.c"
#undef sample_all
#define sample_all nonsense_all
#include "host/tests/payloads/nonsense.c"
#undef sample_all
#define sample_all triple_fault_all
#include "host/tests/payloads/x86_64/triple_fault.c"
#undef sample_all
#define sample_all undelivered_all
#include "host/tests/payloads/x86_64/undelivered.c"
#undef sample_all

void sample_all(const struct abi_params *params)
{
	switch (params->events) {
	case 101:
		hang_all(params);
		break;
	case 102:
		jump_to_mmio_all(params);
		break;
	case 103:
		nonsense_all(params);
		break;
	case 104:
		triple_fault_all(params);
		break;
	case 105:
		undelivered_all(params);
		break;
	}
}
