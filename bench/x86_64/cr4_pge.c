/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CR4.PGE flipped, the old way to flush all of the TLB. VMX with EPT gives the bit to the
 * guest; SVM traps every write of CR4, and every read too, so the value is kept here.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"

#define CR4_PGE 0x80

static uint64_t cr4, cr4_of_twin;

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4_of_twin = cr4;
	return BODY_PRESENT;
}

BODY void body(void)
{
	__asm__ volatile("mov %0, %%rax\n\t"
			 "xor %1, %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "mov %%rax, %%cr4"
			 : "+m"(cr4)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("mov %0, %%rax\n\t"
			 "xor %1, %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "nop"
			 : "+m"(cr4_of_twin)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}
