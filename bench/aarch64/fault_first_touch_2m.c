/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Store to a huge page that the host has and the guest's stage 2 has not: KVM maps it as
 * one block. A second store, to its other half, proves that: it must not fault. The
 * VMM takes the mapping away again before each event. The huge page after it stays
 * mapped, and with it the table that both are in.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#include "bench/aarch64/reload.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	*(volatile uint32_t *)(ABI_SLOT_GPA + 0x200000) = 0;
	return BODY_PRESENT;
}

BODY uint64_t body_measure(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("mov x1, %0\n\t"
			 "str xzr, [x1]\n\t"
			 "add x1, x1, #0x100, lsl #12\n\t"
			 "str xzr, [x1]" ::"i"(ABI_SLOT_GPA)
			 : "x1", "memory");
	return measure_stop() - start;
}

BODY uint64_t body_measure_twin(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("mov x1, %0\n\t"
			 "nop\n\t"
			 "add x1, x1, #0x100, lsl #12\n\t"
			 "nop" ::"i"(ABI_SLOT_GPA)
			 : "x1", "memory");
	return measure_stop() - start;
}
