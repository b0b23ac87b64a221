/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of two vCPUs, one ends before the events: the first if their number is even. */
#include "guest/runtime.h"

/* The tables of a window are in its memory (bench/abi.h). */
static uint32_t window(void)
{
	uint64_t tables;

	__asm__ volatile("mov %%cr3, %0" : "=r"(tables));
	return (uint32_t)((tables - ABI_X86_64_RAM_GPA) / ABI_RAM_BYTES);
}

void sample_all(const struct abi_params *params)
{
	runtime_phase_begin(ABI_PHASE_WARMUP);
	if (window() == params->events % 2)
		runtime_stop(ABI_STATE_DONE);
	runtime_phase_begin(ABI_PHASE_EVENT);
	runtime_stop(ABI_STATE_DONE);
}
