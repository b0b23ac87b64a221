/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 1-byte store to a gpa that no memory slot covers, valid syndrome. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "strb wzr, [x1]" ::"i"(ABI_AARCH64_MMIO_GPA)
			 : "x1", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 "nop" ::"i"(ABI_AARCH64_MMIO_GPA)
			 : "x1", "memory");
}
