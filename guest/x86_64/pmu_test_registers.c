/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: which registers there are, and the access to them. */
#include "guest/x86_64/cpuid.h"
#include "guest/x86_64/pmu_bits.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

struct pmu pmu;

bool pmu_discover(void)
{
	struct cpuid leaf;

	if (!cpuid_has_leaf(0xa))
		return false;
	leaf = cpuid(0xa, 0);
	pmu = (struct pmu){
		.version = leaf.eax & 0xff,
		.n_gp = leaf.eax >> 8 & 0xff,
		.n_fixed = leaf.edx & 0x1f,
		.gp_mask = (1ull << (leaf.eax >> 16 & 0xff)) - 1,
		.fixed_mask = (1ull << (leaf.edx >> 5 & 0xff)) - 1,
		.cycles = EVENT_CYCLES,
		.instructions = EVENT_INSNS,
		.branches = EVENT_BRANCHES,
		.control = MSR_PERF_GLOBAL_CTRL,
		.status = MSR_GLOBAL_STATUS,
		.clear = MSR_PERF_GLOBAL_OVF_CTRL,
	};
	/* Version 2 brought the global registers. */
	if (pmu.version < 2 || !pmu.n_gp || pmu.n_gp > 32)
		return false;
	pmu.counters = ((1ull << pmu.n_gp) - 1) | ((1ull << pmu.n_fixed) - 1) << 32;
	if (!try_rdmsr(MSR_PERF_CAPABILITIES, &pmu.capabilities))
		pmu.capabilities = 0;
	return true;
}

bool pmu_is_fixed(uint32_t n)
{
	return n >= pmu.n_gp;
}

uint64_t pmu_bit(uint32_t n)
{
	return pmu_is_fixed(n) ? GLOBAL_FIXED(n - pmu.n_gp) : GLOBAL_GENERAL(n);
}

uint32_t pmu_counter_msr(uint32_t n)
{
	if (pmu_is_fixed(n))
		return MSR_FIXED_CTR0 + n - pmu.n_gp;
	return (pmu.capabilities & FULL_WIDTH ? MSR_A_PMC0 : MSR_PMC0) + n;
}

uint64_t pmu_rdmsr(uint32_t msr)
{
	uint64_t value;

	return try_rdmsr(msr, &value) ? value : 0xdeadull << 48;
}

uint64_t pmu_read(uint32_t n)
{
	return pmu_rdmsr(pmu_counter_msr(n));
}

void pmu_write(uint32_t n, uint64_t value)
{
	verdict_writes(pmu_counter_msr(n),
		       value & (pmu_is_fixed(n) ? pmu.fixed_mask : pmu.gp_mask), true);
}

void pmu_select(uint32_t n, uint64_t event)
{
	uint64_t control;

	if (!pmu_is_fixed(n)) {
		verdict_writes(MSR_PERFEVTSEL0 + n, event, true);
		return;
	}
	control = pmu_rdmsr(MSR_FIXED_CTR_CTRL) & ~(0xfull << 4 * (n - pmu.n_gp));
	try_wrmsr(MSR_FIXED_CTR_CTRL, control | event << 4 * (n - pmu.n_gp));
}

void pmu_start(uint64_t enabled)
{
	try_wrmsr(pmu.control, enabled);
}

void pmu_stop(void)
{
	try_wrmsr(pmu.control, 0);
}

void pmu_clear_status(void)
{
	try_wrmsr(pmu.clear, pmu.counters);
}

void pmu_reset(void)
{
	uint32_t n;

	try_wrmsr(MSR_DEBUGCTL, 0);
	pmu_stop();
	try_wrmsr(MSR_FIXED_CTR_CTRL, 0);
	for (n = 0; n < pmu.n_gp + pmu.n_fixed; n++) {
		if (!pmu_is_fixed(n))
			try_wrmsr(MSR_PERFEVTSEL0 + n, 0);
		try_wrmsr(pmu_counter_msr(n), 0);
	}
	pmu_clear_status();
	if (pmu.version >= 4)
		try_wrmsr(pmu.clear, STATUS_FROZEN);
}
