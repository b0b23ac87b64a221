/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stage-2 faults: stores to the slot at ABI_SLOT_GPA. */
#include "bench/body.h"

/* Each body of the boot stores to the next 4 KiB page. The set-up touches all pages. */
static uint64_t event_gpa = ABI_SLOT_GPA, twin_gpa = ABI_SLOT_GPA;

BODY bool touch_all_pages(const struct abi_params *params)
{
	uint64_t pages = abi_bodies(params), gpa;

	for (gpa = ABI_SLOT_GPA; pages; pages--, gpa += 0x1000)
		*(volatile uint64_t *)gpa = 0;
	return true;
}

#define STORE_TO_NEXT_PAGE(insn, gpa)                                                    \
	__asm__ volatile("mov %0, %%rax\n\t" insn "\n\t"                                 \
			 "addq $0x1000, %0"                                              \
			 : "+m"(gpa)                                                     \
			 :                                                               \
			 : "rax", "cc", "memory")

BODY void next_page_event(void)
{
	STORE_TO_NEXT_PAGE("movl $0, (%%rax)", event_gpa);
}

BODY void next_page_twin(void)
{
	STORE_TO_NEXT_PAGE("nop", twin_gpa);
}

/*
 * First store to a page that the host has and the nested page tables lack: KVM finds the
 * page and maps it. The set-up's stores make the host count the pages as in use; the VMM
 * unmaps them when the warm-up begins.
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
 * write-protected; KVM marks the page dirty and makes it writable. A CPU with page-
 * modification logging (Intel's PML) logs the page without an exit. The VMM clears the
 * log when the warm-up begins.
 */
BODY_ROW_OF(fault_dirty_log, .event = next_page_event, .twin = next_page_twin,
	    .setup = touch_all_pages);

/*
 * Store to a huge page that the host has and the nested page tables lack: KVM maps one
 * 2 MiB entry. A second store, to the other half, proves this: it must not fault. The VMM
 * unmaps the page before each event.
 */
BODY void fault_first_touch_2m_event(void)
{
	__asm__ volatile("movabs %0, %%rax\n\t"
			 "movl $0, (%%rax)\n\t"
			 "movl $0, 0x100000(%%rax)" ::"i"(ABI_SLOT_GPA)
			 : "rax", "memory");
}

BODY void fault_first_touch_2m_twin(void)
{
	__asm__ volatile("movabs %0, %%rax\n\t"
			 "nop\n\t"
			 "nop" ::"i"(ABI_SLOT_GPA)
			 : "rax", "memory");
}

BODY_ROW(fault_first_touch_2m, .reload = true);

/* Store to a read-only slot: exits to the VMM as MMIO, and the VMM ignores the store. */
BODY_PAIR(fault_readonly, "movabs %0, %%rdx", "mov %%eax, (%%rdx)", ::"i"(ABI_SLOT_GPA)
	  : "eax", "rdx", "memory")
BODY_ROW(fault_readonly);
