/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload without an IDT: an exception becomes a triple fault. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = { 0, 0 };

	(void)params;
	runtime_phase_begin(ABI_PHASE_EVENT);
	__asm__ volatile("lidt %0\n\t"
			 "ud2" ::"m"(no_idt));
}
