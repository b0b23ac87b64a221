/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of several vCPUs, the second begins a phase once more than the others. */
#include "guest/runtime.h"

/* The tables of a window are in its memory (bench/abi.h). */
static uint32_t window(void)
{
	uint64_t tables;

	__asm__ volatile("mrs %0, ttbr0_el1" : "=r"(tables));
	return (uint32_t)((tables - ABI_AARCH64_RAM_GPA) / ABI_RAM_BYTES);
}

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
