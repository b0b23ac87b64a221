/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock: an empty region, and the instructions that read the TSC. */
#include "bench/body.h"
#include "guest/x86_64/cpuid.h"

/*
 * Nothing. The null phase measures the cost of the clock; this row proves that zero
 * remains when that cost is subtracted.
 */
BODY void null_event(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY void null_twin(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY_ROW(null);

/*
 * RDTSC. KVM passes RDTSC through on hardware; an exit means TSC scaling or a software
 * KVM.
 */
BODY_PAIR(rdtsc, "", "rdtsc", ::: "eax", "edx", "memory")
BODY_ROW(rdtsc);

/* RDTSCP also waits for earlier instructions and reads TSC_AUX. */
BODY bool rdtscp_setup(const struct abi_params *params)
{
	(void)params;
	return cpuid(0x80000001, 0).edx & 1u << 27;
}

BODY_PAIR(rdtscp, "", "rdtscp", ::: "eax", "ecx", "edx", "memory")
BODY_ROW(rdtscp, .setup = rdtscp_setup);
