/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WRMSR of PRED_CMD: IBPB, which empties the branch predictor. KVM traps the first, and
 * from then on lets the guest have it.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/cpuid.h"
#include "bench/x86_64/msr.h"

/* Intel SDM 2A, CPUID leaf 7; AMD APM 3, E.4.6 */
#define INTEL_IBRS_IBPB (1u << 26)
#define AMD_IBPB	(1u << 12)

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (cpuid_has_leaf(7) && cpuid(7, 0).edx & INTEL_IBRS_IBPB)
		return BODY_PRESENT;
	if (cpuid_has_leaf(0x80000008) && cpuid(0x80000008, 0).ebx & AMD_IBPB)
		return BODY_PRESENT;
	return BODY_ABSENT;
}

WRMSR_BODY(MSR_PRED_CMD, 1)
