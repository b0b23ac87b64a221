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
 * A conversion: KVM_HC_MAP_GPA_RANGE (Documentation/virt/kvm/x86/hypercalls.rst) exits to
 * the VMM, which sets the attribute of the pages with KVM_SET_MEMORY_ATTRIBUTES; KVM
 * drops the guest's mappings of them. Shared pages are the host's, private ones those of
 * the guest_memfd. The events go from the last
 * page to the first: KVM searches the 2 MiB around a page, from their start, for a page
 * with another attribute.
 */
#define HC_MAP_GPA_RANGE 12
#define HC_PRIVATE	 0x10
#define HC_SHARED	 0

static void convert_all(const struct abi_params *params, uint64_t attributes)
{
	uint64_t rax = HC_MAP_GPA_RANGE;

	__asm__ volatile(MACHINE_VMCALL
			 : "+a"(rax)
			 : "b"(ABI_SLOT_GPA), "c"(abi_bodies(params)), "d"(attributes)
			 : "memory");
	if (rax)
		__builtin_trap();
}

static void store_to_all(const struct abi_params *params, uint64_t value)
{
	uint64_t pages = abi_bodies(params), gpa;

	for (gpa = ABI_SLOT_GPA; pages; pages--, gpa += 0x1000)
		*(volatile uint64_t *)gpa = value;
}

static uint64_t convert_gpa, twin_convert_gpa, convert_end;

/* The pages that events converted have another memory. */
static void expect_in_converted(uint64_t value)
{
	uint64_t gpa;

	for (gpa = convert_gpa + 0x1000; gpa < convert_end; gpa += 0x1000)
		if (*(volatile uint64_t *)gpa != value)
			__builtin_trap();
}

#define IN_SHARED  1
#define IN_PRIVATE 2

/* All pages mapped, as private and as shared ones in turn. */
BODY bool convert_setup(const struct abi_params *params)
{
	convert_end = ABI_SLOT_GPA + 0x1000 * abi_bodies(params);
	convert_gpa = twin_convert_gpa = convert_end - 0x1000;
	machine_patch_vmcalls();
	store_to_all(params, IN_SHARED);
	convert_all(params, HC_PRIVATE);
	store_to_all(params, IN_PRIVATE);
	return true;
}

#define CONVERT_NEXT_PAGE(gpa, insn, attributes)                                         \
	__asm__ volatile("mov %0, %%rbx\n\t"                                             \
			 "mov %1, %%eax\n\t"                                             \
			 "mov $1, %%ecx\n\t"                                             \
			 "mov %2, %%edx\n\t" insn "\n\t"                                 \
			 "subq $0x1000, %0"                                              \
			 : "+m"(gpa)                                                     \
			 : "i"(HC_MAP_GPA_RANGE), "i"(attributes)                        \
			 : "rax", "rbx", "rcx", "rdx", "cc", "memory")

BODY bool memory_to_private_setup(const struct abi_params *params)
{
	convert_setup(params);
	convert_all(params, HC_SHARED);
	store_to_all(params, IN_SHARED);
	return true;
}

BODY void memory_to_private_event(void)
{
	CONVERT_NEXT_PAGE(convert_gpa, MACHINE_VMCALL, HC_PRIVATE);
}

BODY void memory_to_private_twin(void)
{
	CONVERT_NEXT_PAGE(twin_convert_gpa, "nop", HC_PRIVATE);
}

BODY void memory_to_private_end(void)
{
	expect_in_converted(IN_PRIVATE);
}

BODY_ROW(memory_to_private, .setup = memory_to_private_setup,
	 .end = memory_to_private_end);

BODY void memory_to_shared_event(void)
{
	CONVERT_NEXT_PAGE(convert_gpa, MACHINE_VMCALL, HC_SHARED);
}

BODY void memory_to_shared_twin(void)
{
	CONVERT_NEXT_PAGE(twin_convert_gpa, "nop", HC_SHARED);
}

BODY void memory_to_shared_end(void)
{
	expect_in_converted(IN_SHARED);
}

BODY_ROW(memory_to_shared, .setup = convert_setup, .end = memory_to_shared_end);

/*
 * As fault_first_touch_4k, of private pages: two conversions have dropped the mappings.
 * The tables remain.
 */
BODY bool fault_private_4k_setup(const struct abi_params *params)
{
	convert_setup(params);
	convert_all(params, HC_SHARED);
	convert_all(params, HC_PRIVATE);
	return true;
}

BODY_ROW_OF(fault_private_4k, .event = next_page_event, .twin = next_page_twin,
	    .setup = fault_private_4k_setup);

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
