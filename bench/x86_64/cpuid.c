/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID leaf 0. Both VMX and SVM exit on every CPUID (Intel SDM 3C, 26.1.2;
 * AMD APM 2, 15.9), so this is the cheapest exit that any x86 guest can cause.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("xor %%eax, %%eax\n\t"
			 "cpuid" ::
				 : "eax", "ebx", "ecx", "edx", "cc", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("xor %%eax, %%eax\n\t"
			 "nop" ::
				 : "eax", "ebx", "ecx", "edx", "cc", "memory");
}
