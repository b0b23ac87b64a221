/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exit to user space that precedes each event of rows with NEEDS_RELOAD. */
#ifndef WS_BENCH_AARCH64_RELOAD_H
#define WS_BENCH_AARCH64_RELOAD_H

#include "bench/body.h"

/* A bell that asks the VMM for what the next event needs, if anything. */
BODY void reload(void)
{
	__asm__ volatile("dsb sy\n\t"
			 "str %w0, [%1]" ::"r"(ABI_BELL(ABI_BELL_AGAIN, 0)),
			 "r"(ABI_AARCH64_BELL_GPA)
			 : "memory");
}

#endif
