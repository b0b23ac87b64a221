/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-byte store of the one value that signals an eventfd: absorbed in the kernel. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "mov w2, %2\n\t"
			 "str w2, [x1, %1]" ::"i"(ABI_AARCH64_MMIO_GPA),
			 "i"(ABI_MMIO_MATCH_OFFSET), "i"(ABI_MATCH_VALUE)
			 : "x1", "x2", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "mov w2, %1\n\t"
			 "nop" ::"i"(ABI_AARCH64_MMIO_GPA),
			 "i"(ABI_MATCH_VALUE)
			 : "x1", "x2", "memory");
}
