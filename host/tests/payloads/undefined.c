/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that executes an undefined instruction. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_NULL);
	__builtin_trap();
}
