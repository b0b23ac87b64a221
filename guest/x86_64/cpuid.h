/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID. */
#ifndef WS_GUEST_X86_64_CPUID_H
#define WS_GUEST_X86_64_CPUID_H

#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* A leaf above the last one returns data of the last one (Intel) or zero (AMD). */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c = { .eax = leaf, .ecx = subleaf };

	__asm__ volatile("cpuid" : "+a"(c.eax), "=b"(c.ebx), "+c"(c.ecx), "=d"(c.edx));
	return c;
}

static inline int cpuid_has_leaf(uint32_t leaf)
{
	return cpuid(leaf & 0xf0000000, 0).eax >= leaf;
}

#endif
