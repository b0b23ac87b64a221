/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that ends a phase early, after two blocks of samples that differ. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	uint64_t *series = runtime_phase_begin(ABI_PHASE_NULL);
	uint32_t i;

	for (i = 0; i < 2 * params->repeat; i++)
		series[i] = i;
	runtime_phase_end(ABI_PHASE_NULL, i);
	runtime_stop(ABI_STATE_DONE);
}
