/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of two vCPUs, one ends before the events: the first if their number is even. */
#include "window.h" /* of the guest's architecture */

void sample_all(const struct abi_params *params)
{
	runtime_phase_begin(ABI_PHASE_WARMUP);
	if (window() == params->events % 2)
		runtime_stop(ABI_STATE_DONE);
	runtime_phase_begin(ABI_PHASE_EVENT);
	runtime_stop(ABI_STATE_DONE);
}
