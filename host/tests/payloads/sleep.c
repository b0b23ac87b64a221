/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that never returns from the probe for a sleeping CPU. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_state(ABI_STATE_SLEEPS);
	for (;;)
		__asm__ volatile("");
}
