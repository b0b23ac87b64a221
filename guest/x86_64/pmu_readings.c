/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of the capability table (wsbench pmu): reads the registers that describe
 * the guest's PMU. Replaces sample.c.
 */
#include "bench/pmu.h"

#include "guest/x86_64/machine.h"
#include "guest/runtime.h"

#define MSR_PERF_CAPABILITIES 0x345

static struct cpuid leaf(uint32_t number)
{
	return cpuid_has_leaf(number) ? cpuid(number, 0) : (struct cpuid){ .eax = 0 };
}

/* Returns 1 if RDMSR raised #GP. */
static uint64_t read_msr(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0, faulted = 1;

	__asm__ volatile("1: rdmsr\n\t"
			 "xor %0, %0\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "+r"(faulted), "+a"(low), "+d"(high)
			 : "c"(msr)
			 : "cc", "memory");
	*value = low | (uint64_t)high << 32;
	return faulted;
}

static void store(uint64_t *values, uint64_t *faulted)
{
	const struct cpuid pmu = leaf(0xa);

	values[PMU_CPUID_0_EBX] = leaf(0).ebx;
	values[PMU_CPUID_1_ECX] = leaf(1).ecx;
	values[PMU_CPUID_A_EAX] = pmu.eax;
	values[PMU_CPUID_A_EBX] = pmu.ebx;
	values[PMU_CPUID_A_ECX] = pmu.ecx;
	values[PMU_CPUID_A_EDX] = pmu.edx;
	values[PMU_CPUID_80000001_ECX] = leaf(0x80000001).ecx;
	values[PMU_CPUID_80000022_EAX] = leaf(0x80000022).eax;
	values[PMU_CPUID_80000022_EBX] = leaf(0x80000022).ebx;
	faulted[PMU_PERF_CAPABILITIES] =
		read_msr(MSR_PERF_CAPABILITIES, &values[PMU_PERF_CAPABILITIES]);
}

void sample_all(const struct abi_params *params)
{
	if (params->events != PMU_READINGS_ON_X86_64)
		runtime_stop(ABI_STATE_REFUSED);
	store(runtime_series(ABI_PHASE_EVENT), runtime_series(ABI_PHASE_TWIN));
	runtime_series_end(ABI_PHASE_NULL, params->events);
	runtime_series_end(ABI_PHASE_EVENT, params->events);
	runtime_series_end(ABI_PHASE_TWIN, params->events);
}
