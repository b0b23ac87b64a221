/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WRMSR of TSC_DEADLINE: KVM sets a timer of the host's, or the VMX preemption timer,
 * anew each time. The deadline lies so far off that it never comes.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/msr.h"
#include "clock.h"
#include "guest/x86_64/apic.h"

#define FAR_TICKS (1ull << 40)

static uint32_t low, high;

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint64_t deadline = clock_start() + FAR_TICKS;

	(void)params;
	low = (uint32_t)deadline;
	high = (uint32_t)(deadline >> 32);
	return apic_enable_tsc_deadline(APIC_VECTOR) ? BODY_PRESENT : BODY_ABSENT;
}

BODY_PAIR("mov %0, %%ecx\n\t"
	  "mov %1, %%eax\n\t"
	  "mov %2, %%edx",
	  "wrmsr", ::"i"(MSR_TSC_DEADLINE), "m"(low), "m"(high)
	  : "eax", "ecx", "edx", "memory")
