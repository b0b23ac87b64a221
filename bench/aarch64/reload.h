/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exit to user space that precedes each event of rows with NEEDS_RELOAD. */
#ifndef WS_BENCH_AARCH64_RELOAD_H
#define WS_BENCH_AARCH64_RELOAD_H

#include "bench/body.h"

/* A doorbell that asks the VMM for what the next event needs, if anything. */
BODY void reload(void)
{
	__asm__ volatile("dsb sy\n\t"
			 "str %w0, [%1]" ::"r"(ABI_DOORBELL(ABI_DOORBELL_AGAIN, 0)),
			 "r"(ABI_AARCH64_DOORBELL_GPA)
			 : "memory");
}

#endif
