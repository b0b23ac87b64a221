/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload without vectors: each exception causes another one, without end. */
#include "guest/runtime.h"

/* 256 GiB: not mapped by the guest. */
#define NOWHERE 0x4000000000ull

void sample_all(const struct abi_params *params)
{
	(void)params;
	runtime_phase_begin(ABI_PHASE_EVENT);
	__asm__ volatile("msr vbar_el1, %0\n\t"
			 "isb\n\t"
			 "brk #0" ::"r"(NOWHERE));
}
