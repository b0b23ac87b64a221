/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WRMSR of TSX_CTRL with 0, where ARCH_CAPABILITIES says that there is one. */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/cpuid.h"
#include "bench/x86_64/msr.h"

#define CPUID_ARCH_CAPABILITIES (1u << 29)
#define ARCH_CAP_TSX_CTRL	(1u << 7)

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint32_t low, high;

	(void)params;
	if (!cpuid_has_leaf(7) || !(cpuid(7, 0).edx & CPUID_ARCH_CAPABILITIES))
		return BODY_ABSENT;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_ARCH_CAPABILITIES));
	return low & ARCH_CAP_TSX_CTRL ? BODY_PRESENT : BODY_ABSENT;
}

WRMSR_BODY(MSR_TSX_CTRL, 0)
