/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory-mapped I/O. No memory slot covers ABI_X86_64_MMIO_GPA: KVM decodes and emulates
 * the instruction, and exits to user space. MOV r32, m32 is the form that KVM's emulator
 * handles fastest.
 */
#include "bench/body.h"

#define MMIO_ACCESS(id, insn, gpa)                                                       \
	BODY_PAIR(id, "mov %0, %%edx", insn, ::"i"(gpa) : "eax", "edx", "memory")

/* Loads of 4, 1, 2 and 8 bytes. */
MMIO_ACCESS(mmio_read_user, "mov (%%rdx), %%eax", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_read_user);

MMIO_ACCESS(mmio_read_user_1, "mov (%%rdx), %%al", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_read_user_1);

MMIO_ACCESS(mmio_read_user_2, "mov (%%rdx), %%ax", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_read_user_2);

MMIO_ACCESS(mmio_read_user_8, "mov (%%rdx), %%rax", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_read_user_8);

/* Stores of 4, 1, 2 and 8 bytes. */
MMIO_ACCESS(mmio_write_user, "mov %%eax, (%%rdx)", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_write_user);

MMIO_ACCESS(mmio_write_user_1, "mov %%al, (%%rdx)", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_write_user_1);

MMIO_ACCESS(mmio_write_user_2, "mov %%ax, (%%rdx)", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_write_user_2);

MMIO_ACCESS(mmio_write_user_8, "mov %%rax, (%%rdx)", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_write_user_8);

/*
 * Load of the IOAPIC's index register: KVM emulates the instruction as for
 * mmio_read_user, and the in-kernel IOAPIC returns the value. The LAPIC's page does not
 * serve: a CPU with APICv or AVIC reads that page without an exit.
 */
#define IOAPIC_GPA 0xfec00000

MMIO_ACCESS(mmio_read_kernel, "mov (%%rdx), %%eax", IOAPIC_GPA)
BODY_ROW(mmio_read_kernel);

/* Store to a gpa that signals an eventfd: handled in the kernel. */
MMIO_ACCESS(mmio_write_ioeventfd, "mov %%eax, (%%rdx)",
	    ABI_X86_64_MMIO_GPA + ABI_MMIO_EVENTFD_OFFSET)
BODY_ROW(mmio_write_ioeventfd);

/* Store of the one value that signals an eventfd: KVM compares the value. */
BODY_PAIR(mmio_write_ioeventfd_match,
	  "mov %0, %%edx\n\t"
	  "mov %1, %%eax",
	  "mov %%eax, (%%rdx)", ::"i"(ABI_X86_64_MMIO_GPA + ABI_MMIO_MATCH_OFFSET),
	  "i"(ABI_MATCH_VALUE)
	  : "eax", "edx", "memory")
BODY_ROW(mmio_write_ioeventfd_match);

/*
 * Store to a gpa whose eventfd has no length, as the doorbells of virtio have: KVM on VMX
 * signals the eventfd from the gpa alone (KVM_FAST_MMIO_BUS), without decoding the store.
 */
MMIO_ACCESS(mmio_write_ioeventfd_any, "mov %%eax, (%%rdx)",
	    ABI_X86_64_MMIO_GPA + ABI_MMIO_ANY_OFFSET)
BODY_ROW(mmio_write_ioeventfd_any);

/*
 * mmio_read_user while a second vCPU does the same, as the CPUs of a guest do whose clock
 * source is the HPET: what both exits share in KVM and in the VMM is contended.
 */
static volatile uint32_t reads_by_other;

BODY bool mmio_read_concurrent_setup(const struct abi_params *params)
{
	(void)params;
	while (!reads_by_other)
		__asm__ volatile("pause");
	return true;
}

BODY void mmio_read_concurrent_secondary(uint32_t index)
{
	(void)index;
	for (;;) {
		(void)*(volatile uint32_t *)ABI_X86_64_MMIO_GPA;
		reads_by_other++;
	}
}

MMIO_ACCESS(mmio_read_concurrent, "mov (%%rdx), %%eax", ABI_X86_64_MMIO_GPA)
BODY_ROW(mmio_read_concurrent, .setup = mmio_read_concurrent_setup,
	 .secondary = mmio_read_concurrent_secondary);

/*
 * Store to a gpa whose writes KVM collects in the coalesced ring. The ring has 169
 * entries: the exit to user space before each event drains the ring.
 */
MMIO_ACCESS(mmio_write_coalesced, "mov %%eax, (%%rdx)",
	    ABI_X86_64_MMIO_GPA + ABI_MMIO_COALESCED_OFFSET)
BODY_ROW(mmio_write_coalesced, .reload = true);
