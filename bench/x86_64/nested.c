/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload that is a hypervisor (L1) with a guest (L2): the bodies run, and take their
 * time, in L2, where nested_begin() (guest/x86_64/nested.c) has left them.
 */
#include "bench/body.h"
#include "guest/x86_64/nested.h"
#include "guest/x86_64/svm.h"
#include "guest/x86_64/vmx.h"

/* CPUID leaf 0: exits from L2 to L0, which passes the exit on to L1. */
BODY bool nested_cpuid_setup(const struct abi_params *params)
{
	return nested_begin(params, &(struct nested_exit){ EXIT_CPUID, REASON_CPUID, 2 });
}

BODY_PAIR(nested_cpuid, "xor %%eax, %%eax", "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
BODY_ROW(nested_cpuid, .setup = nested_cpuid_setup);
