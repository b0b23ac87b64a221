/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Store to a page that the host has and the guest has never touched: KVM finds the page
 * and maps it in the nested page tables. Each body takes the next page of the slot.
 */
#include "bench/body.h"

static uint64_t body_gpa = ABI_SLOT_GPA, twin_gpa = ABI_SLOT_GPA;

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
