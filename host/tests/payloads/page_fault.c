/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that reads an unmapped address during its events. */
#include "guest/runtime.h"

/* 256 GiB: not mapped by the guest. */
#define NOWHERE 0x4000000000ull

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_EVENT);
	(void)*(volatile uint32_t *)NOWHERE;
	runtime_stop(ABI_STATE_DONE);
}
