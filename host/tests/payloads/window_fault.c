/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of several vCPUs, the second takes an exception while the others wait for it. */
#include "window.h" /* of the guest's architecture */

/* 256 GiB: not mapped by the guest. */
#define NOWHERE 0x4000000000ull

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_WARMUP);
	if (window() == 1)
		(void)*(volatile uint32_t *)NOWHERE;
	runtime_phase_begin(ABI_PHASE_EVENT);
	runtime_stop(ABI_STATE_DONE);
}
