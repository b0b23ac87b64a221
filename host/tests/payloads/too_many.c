/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that claims 2^32 samples in each phase, more than fit into memory. */
#include "clock.h" /* of the guest's architecture: GUEST_RAM_GPA */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	volatile struct abi_page *page =
		(volatile struct abi_page *)(GUEST_RAM_GPA + ABI_PAGE_OFFSET);
	uint32_t phase;

	(void)params;
	for (phase = 0; phase < ABI_PHASES; phase++)
		page->report.samples[phase] = 1ull << 32;
	runtime_stop(ABI_STATE_DONE);
}
