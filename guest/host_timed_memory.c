/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of rows about the memory slot at ABI_SLOT_GPA, stores to its pages, and of
 * rows about the switch between VMs. Replaces sample.c.
 */
#include "clock.h" /* of the guest's architecture */
#include "guest/runtime.h"

#define PAGE_BYTES 4096

static void store_to(uint64_t page)
{
	*(volatile uint64_t *)(ABI_SLOT_GPA + page * PAGE_BYTES) = 0;
}

/* Each time, the host changes the slot at the doorbell. */
static void touch(uint32_t pages)
{
	uint32_t i;

	for (;;) {
		for (i = 0; i < pages; i++)
			store_to(i);
		runtime_doorbell(ABI_DOORBELL_END);
	}
}

/* Series EVENT: the shared clock before the store; series TWIN: after it. */
static void stamp(const struct abi_params *params)
{
	uint64_t *before = runtime_series(ABI_PHASE_EVENT);
	uint64_t *after = runtime_series(ABI_PHASE_TWIN);
	uint32_t i;

	for (i = 0; i < params->events; i++) {
		before[i] = clock_shared();
		store_to(i);
		after[i] = clock_shared();
	}
}

/* Each time, the run of the VMM ends without a kick. */
static void stop_for_ever(void)
{
	runtime_state(ABI_STATE_DONE);
	for (;;)
		runtime_doorbell(ABI_DOORBELL_STOP);
}

void sample_all(const struct abi_params *params)
{
	switch (params->command) {
	case ABI_COMMAND_TOUCH:
		touch(params->operand);
		break;
	case ABI_COMMAND_TOUCH_STAMP:
		stamp(params);
		break;
	case ABI_COMMAND_STOP:
		stop_for_ever();
		break;
	default:
		runtime_stop(ABI_STATE_REFUSED);
	}
}
