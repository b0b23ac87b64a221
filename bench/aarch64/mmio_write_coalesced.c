/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-byte store to a gpa whose writes collect in a ring. The ring has room for 169: an
 * exit to user space before each event empties it.
 */
#define BODY_MEASURES 1
#include "bench/aarch64/reload.h"

BODY uint64_t body_measure(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("mov x1, %0\n\t"
			 "str wzr, [x1, %1]" ::"i"(ABI_AARCH64_MMIO_GPA),
			 "i"(ABI_MMIO_COALESCED_OFFSET)
			 : "x1", "memory");
	return measure_stop() - start;
}

BODY uint64_t body_measure_twin(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("mov x1, %0\n\t"
			 "nop" ::"i"(ABI_AARCH64_MMIO_GPA)
			 : "x1", "memory");
	return measure_stop() - start;
}
