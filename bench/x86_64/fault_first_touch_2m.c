/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Store to a huge page that the host has and the guest's nested page tables have not: KVM
 * maps it as one. A second store, to its other half, proves that: it must not fault.
 * The VMM takes the mapping away again before each event.
 */
#define BODY_MEASURES 1
#include "bench/body.h"
#include "bench/x86_64/reload.h"

BODY uint64_t body_measure(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("movabs %0, %%rax\n\t"
			 "movl $0, (%%rax)\n\t"
			 "movl $0, 0x100000(%%rax)" ::"i"(ABI_SLOT_GPA)
			 : "rax", "memory");
	return measure_stop() - start;
}

BODY uint64_t body_measure_twin(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("movabs %0, %%rax\n\t"
			 "nop\n\t"
			 "nop" ::"i"(ABI_SLOT_GPA)
			 : "rax", "memory");
	return measure_stop() - start;
}
