/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CR3 written with the value it has: flushes the TLB's own entries. Trapped only under
 * shadow paging.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"

static uint64_t cr3;

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	return BODY_PRESENT;
}

BODY_PAIR("mov %0, %%rax", "mov %%rax, %%cr3", ::"m"(cr3) : "rax", "memory")
