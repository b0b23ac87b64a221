/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of several vCPUs, the second begins a phase once more than the others. */
#include "window.h" /* of the guest's architecture */

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_NULL);
	if (window() == 1)
		runtime_phase_begin(ABI_PHASE_NULL);
	runtime_phase_begin(ABI_PHASE_EVENT);
	for (;;)
		__asm__ volatile("");
}
