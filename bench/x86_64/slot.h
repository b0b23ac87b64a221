/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies whose each event stores to the next page of a slot that is wholly touched. */
#ifndef WS_BENCH_X86_64_SLOT_H
#define WS_BENCH_X86_64_SLOT_H

#include "bench/body.h"

static uint64_t body_gpa = ABI_SLOT_GPA, twin_gpa = ABI_SLOT_GPA;

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint64_t pages = abi_bodies(params), gpa;

	for (gpa = ABI_SLOT_GPA; pages; pages--, gpa += 0x1000)
		*(volatile uint64_t *)gpa = 0;
	return BODY_PRESENT;
}

BODY void body(void)
{
	__asm__ volatile("mov %0, %%rax\n\t"
			 "movl $0, (%%rax)\n\t"
			 "addq $0x1000, %0"
			 : "+m"(body_gpa)
			 :
			 : "rax", "cc", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov %0, %%rax\n\t"
			 "nop\n\t"
			 "addq $0x1000, %0"
			 : "+m"(twin_gpa)
			 :
			 : "rax", "cc", "memory");
}

#endif
