/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First store to a page that the host has: KVM finds the page and maps it at stage 2.
 * Each body takes the next page of the slot. All are touched before, so that the host
 * finds them in use, and taken away by the VMM when the warm-up begins.
 */
#define BODY_HAS_SETUP 1
#include "bench/aarch64/slot.h"

static uint64_t body_gpa = ABI_SLOT_GPA, twin_gpa = ABI_SLOT_GPA;

BODY enum body_presence body_setup(const struct abi_params *params)
{
	slot_touch_all(params);
	return BODY_PRESENT;
}

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
