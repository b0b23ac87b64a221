/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that ends in an undefined state, in an undefined phase. */
#include "clock.h" /* of the guest's architecture: GUEST_RAM_GPA */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	volatile struct abi_page *page =
		(volatile struct abi_page *)(GUEST_RAM_GPA + ABI_PAGE_OFFSET);

	(void)params;
	page->report.phase = 0xffffffff;
	runtime_stop((enum abi_state)77);
}
