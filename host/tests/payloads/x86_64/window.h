/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window that this vCPU executes in: the tables of a window are in its memory
 * (bench/abi.h). */
#ifndef WS_TESTS_PAYLOADS_X86_64_WINDOW_H
#define WS_TESTS_PAYLOADS_X86_64_WINDOW_H

#include "guest/runtime.h"

static inline uint32_t window(void)
{
	uint64_t tables;

	__asm__ volatile("mov %%cr3, %0" : "=r"(tables));
	return (uint32_t)((tables - ABI_X86_64_RAM_GPA) / ABI_RAM_BYTES);
}

#endif
