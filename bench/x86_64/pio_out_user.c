/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OUT of one byte to a port that neither KVM nor the runner owns. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov %0, %%edx\n\t"
			 "xor %%eax, %%eax\n\t"
			 "outb %%al, %%dx" ::"i"(ABI_X86_64_PIO_PORT)
			 : "eax", "edx", "cc", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov %0, %%edx\n\t"
			 "xor %%eax, %%eax\n\t"
			 "nop" ::"i"(ABI_X86_64_PIO_PORT)
			 : "eax", "edx", "cc", "memory");
}
