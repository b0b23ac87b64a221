/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IN of one byte from a port that neither KVM nor the runner owns. */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mov %0, %%edx\n\t"
			 "inb %%dx, %%al" ::"i"(ABI_X86_64_PIO_PORT)
			 : "eax", "edx", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov %0, %%edx\n\t"
			 "nop" ::"i"(ABI_X86_64_PIO_PORT)
			 : "eax", "edx", "memory");
}
