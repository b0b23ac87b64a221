/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-byte store to a gpa that no memory slot covers. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov %0, %%edx\n\t"
			 "mov %%eax, (%%rdx)" ::"i"(ABI_X86_64_MMIO_GPA)
			 : "eax", "edx", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov %0, %%edx\n\t"
			 "nop" ::"i"(ABI_X86_64_MMIO_GPA)
			 : "eax", "edx", "memory");
}
