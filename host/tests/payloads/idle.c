/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that reports the end without a sample. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_stop(ABI_STATE_DONE);
}
