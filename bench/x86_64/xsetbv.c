/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XSETBV of the least XCR0, x87 alone: always trapped on VMX, and by KVM on SVM. */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/cpuid.h"

#define CPUID_XSAVE (1u << 26)
#define CR4_OSXSAVE (1u << 18)

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (!(cpuid(1, 0).ecx & CPUID_XSAVE))
		return BODY_ABSENT;
	__asm__ volatile("mov %%cr4, %%rax\n\t"
			 "or %0, %%rax\n\t"
			 "mov %%rax, %%cr4" ::"i"(CR4_OSXSAVE)
			 : "rax", "cc", "memory");
	return BODY_PRESENT;
}

BODY_PAIR("xor %%ecx, %%ecx\n\t"
	  "xor %%edx, %%edx\n\t"
	  "mov $1, %%eax",
	  "xsetbv", ::
		  : "eax", "ecx", "edx", "cc", "memory")
