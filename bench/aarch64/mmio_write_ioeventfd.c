/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-byte store to a gpa that signals an eventfd: absorbed in the kernel. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "str wzr, [x1, %1]" ::"i"(ABI_AARCH64_MMIO_GPA),
			 "i"(ABI_MMIO_EVENTFD_OFFSET)
			 : "x1", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "nop" ::"i"(ABI_AARCH64_MMIO_GPA)
			 : "x1", "memory");
}
