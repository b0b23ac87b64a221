/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload whose virtual timer fires 2^64 ticks after the counter of its VM began. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("msr cntv_cval_el0, %0\n\t"
			 "msr cntv_ctl_el0, %1\n\t"
			 "isb" ::"r"(~0ull),
			 "r"(1ull));
	for (;;)
		machine_relax();
}
