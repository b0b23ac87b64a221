/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload with an endless loop without exits. */
#include "guest/runtime.h"

void sample_all(const struct abi_params *params)
{
	(void)params;
	for (;;)
		__asm__ volatile("");
}
