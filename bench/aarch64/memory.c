/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stage-2 faults: stores to the slot at ABI_SLOT_GPA. */
#include "bench/body.h"

/* Each body of the boot stores to the next 4 KiB page. The set-up touches all pages. */
static uint64_t event_gpa = ABI_SLOT_GPA, twin_gpa = ABI_SLOT_GPA;

BODY bool touch_all_pages(const struct abi_params *params)
{
	uint64_t pages = abi_bodies(params), gpa = ABI_SLOT_GPA;

	for (; pages; pages--, gpa += 4096)
		*(volatile uint64_t *)gpa = 0;
	return true;
}

#define STORE_TO_NEXT_PAGE(insn, gpa)                                                    \
	__asm__ volatile(insn "\n\t"                                                     \
			      "add %0, %0, #1, lsl #12"                                  \
			 : "+r"(gpa)                                                     \
			 :                                                               \
			 : "memory")

BODY void next_page_event(void)
{
	STORE_TO_NEXT_PAGE("str xzr, [%0]", event_gpa);
}

BODY void next_page_twin(void)
{
	STORE_TO_NEXT_PAGE("nop", twin_gpa);
}

/*
 * First store to a page that the host has and stage 2 lacks: KVM finds the page and maps
 * it. The set-up's stores make the host count the pages as in use; the VMM unmaps them
 * when the warm-up begins.
 */
BODY_ROW_OF(fault_first_touch_4k, .event = next_page_event, .twin = next_page_twin,
	    .setup = touch_all_pages);

/*
 * As fault_first_touch_4k, in a slot of a guest_memfd: KVM asks the guest_memfd for the
 * page, not the host's page tables.
 */
BODY_ROW_OF(fault_guest_memfd, .event = next_page_event, .twin = next_page_twin,
	    .setup = touch_all_pages);

/*
 * First store to a mapped page since the dirty log of the slot was cleared: the page is
 * write-protected; KVM marks the page dirty and makes it writable. The VMM clears the log
 * when the warm-up begins.
 */
BODY_ROW_OF(fault_dirty_log, .event = next_page_event, .twin = next_page_twin,
	    .setup = touch_all_pages);

/*
 * Store to a huge page that the host has and stage 2 lacks: KVM maps one block. A second
 * store, to the other half, proves this: it must not fault. The VMM unmaps the page
 * before each event. The next huge page stays mapped, and with it the table that holds
 * both entries.
 */
BODY bool fault_first_touch_2m_setup(const struct abi_params *params)
{
	(void)params;
	*(volatile uint32_t *)(ABI_SLOT_GPA + 0x200000) = 0;
	return true;
}

BODY void fault_first_touch_2m_event(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "str xzr, [x1]\n\t"
			 "add x1, x1, #0x100, lsl #12\n\t"
			 "str xzr, [x1]" ::"i"(ABI_SLOT_GPA)
			 : "x1", "memory");
}

BODY void fault_first_touch_2m_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "nop\n\t"
			 "add x1, x1, #0x100, lsl #12\n\t"
			 "nop" ::"i"(ABI_SLOT_GPA)
			 : "x1", "memory");
}

BODY_ROW(fault_first_touch_2m, .setup = fault_first_touch_2m_setup, .reload = true);

/* Store to a read-only slot: exits to the VMM as MMIO, and the VMM ignores the store. */
BODY_PAIR(fault_readonly, "mov x1, %0", "str wzr, [x1]", ::"i"(ABI_SLOT_GPA)
	  : "x1", "memory")
BODY_ROW(fault_readonly);
