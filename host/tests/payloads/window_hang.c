/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of several vCPUs, the second never ends its warm-up. */
#include "window.h" /* of the guest's architecture */

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_WARMUP);
	if (window() == 1)
		for (;;)
			__asm__ volatile("");
	runtime_phase_begin(ABI_PHASE_EVENT);
	runtime_stop(ABI_STATE_DONE);
}
