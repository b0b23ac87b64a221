/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload whose exceptions have nowhere to go: it takes the same one for ever. */
#include "guest/runtime.h"

/* 256 GiB: in nobody's translation tables. */
#define NOWHERE 0x4000000000ull

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_EVENT);
	__asm__ volatile("msr vbar_el1, %0\n\t"
			 "isb\n\t"
			 "brk #0" ::"r"(NOWHERE));
}
