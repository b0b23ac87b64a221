/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload with an endless loop of exits. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	for (;;)
		machine_doorbell(ABI_DOORBELL(ABI_DOORBELL_BEGIN, ABI_PHASE_EVENT));
}
