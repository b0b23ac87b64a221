/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload whose second CPU takes an exception while the boot CPU waits for it. */
#include "guest/runtime.h"

/* 256 GiB: not mapped by the guest. */
#define NOWHERE 0x4000000000ull

void sample_all(const struct abi_params *params)
{
	(void)params;
	for (;;)
		machine_relax();
}

void sample_secondary(uint32_t index)
{
	(void)index;
	*(volatile uint32_t *)NOWHERE = 0;
}
