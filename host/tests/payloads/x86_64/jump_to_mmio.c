/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that executes from an address without memory: KVM cannot emulate that. */
#include "bench/abi.h"
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_EVENT);
	__asm__ volatile("jmp *%0" ::"r"(ABI_X86_64_MMIO_GPA));
}
