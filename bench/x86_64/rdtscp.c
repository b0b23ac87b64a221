/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDTSCP, which also waits for earlier instructions and reads TSC_AUX: passed through as
 * RDTSC is.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/cpuid.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	return cpuid(0x80000001, 0).edx & 1u << 27 ? BODY_PRESENT : BODY_ABSENT;
}

BODY_PAIR("", "rdtscp", ::: "eax", "ecx", "edx", "memory")
