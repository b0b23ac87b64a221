/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows whose bodies each take a page of the slot at ABI_SLOT_GPA. */
#ifndef WS_BENCH_AARCH64_SLOT_H
#define WS_BENCH_AARCH64_SLOT_H

#include "bench/body.h"

#define SLOT_PAGE_BYTES 4096

/* Stores to every page: one for each body of the boot (host/targets/vm_setup.c). */
BODY void slot_touch_all(const struct abi_params *params)
{
	uint64_t pages = abi_bodies(params), gpa = ABI_SLOT_GPA;

	for (; pages; pages--, gpa += SLOT_PAGE_BYTES)
		*(volatile uint64_t *)gpa = 0;
}

#endif
