/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Store to a page that the host has and the guest has never touched: KVM finds the page
 * and maps it at stage 2. Each body takes the next page of the slot.
 */
#include "bench/body.h"

static uint64_t body_gpa = ABI_SLOT_GPA, twin_gpa = ABI_SLOT_GPA;

BODY void body(void)
{
	__asm__ volatile("str xzr, [%0]\n\t"
			 "add %0, %0, #1, lsl #12"
			 : "+r"(body_gpa)
			 :
			 : "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop\n\t"
			 "add %0, %0, #1, lsl #12"
			 : "+r"(twin_gpa)
			 :
			 : "memory");
}
