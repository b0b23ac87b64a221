/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WRMSR of SPEC_CTRL, IBRS on, as kernels do at every entry. KVM traps the first write of
 * a value other than 0, and from then on lets the guest have the register.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/cpuid.h"
#include "bench/x86_64/msr.h"

/* Intel SDM 2A, CPUID leaf 7; AMD APM 3, E.4.6 */
#define INTEL_IBRS (1u << 26)
#define AMD_IBRS   (1u << 14)

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (cpuid_has_leaf(7) && cpuid(7, 0).edx & INTEL_IBRS)
		return BODY_PRESENT;
	if (cpuid_has_leaf(0x80000008) && cpuid(0x80000008, 0).ebx & AMD_IBRS)
		return BODY_PRESENT;
	return BODY_ABSENT;
}

WRMSR_BODY(MSR_SPEC_CTRL, 1)
