/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: which registers there are, and the access to them. */
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define CPUID_PERF_CTR_EXT_CORE (1u << 23)

struct pmu pmu;

/* Of AMD's counters, whose only enable bit is in their event register without PerfMonV2.
 */
static uint64_t selected[32];

static bool discover_intel(void)
{
	struct cpuid leaf;

	if (!cpuid_has_leaf(0xa))
		return false;
	leaf = cpuid(0xa, 0);
	pmu = (struct pmu){
		.vendor = PMU_INTEL,
		.version = leaf.eax & 0xff,
		.n_gp = leaf.eax >> 8 & 0xff,
		.n_fixed = leaf.edx & 0x1f,
		.gp_mask = (1ull << (leaf.eax >> 16 & 0xff)) - 1,
		.fixed_mask = (1ull << (leaf.edx >> 5 & 0xff)) - 1,
		.cycles = EVENT_CYCLES,
		.instructions = EVENT_INSNS,
		.branches = EVENT_BRANCHES,
		.cmask_never = 255,
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

/* APM vol. 3, E.4.2 and E.4.25. */
static bool discover_amd(void)
{
	struct cpuid leaf;

	if (!cpuid_has_leaf(0x80000001) ||
	    !(cpuid(0x80000001, 0).ecx & CPUID_PERF_CTR_EXT_CORE))
		return false;
	pmu = (struct pmu){
		.vendor = PMU_AMD,
		.n_gp = 6,
		.gp_mask = (1ull << 48) - 1,
		.cycles = 0x76,
		.instructions = 0xc0,
		.branches = 0xc2,
		.cmask_never = 127,
	};
	if (cpuid_has_leaf(0x80000022)) {
		leaf = cpuid(0x80000022, 0);
		if (leaf.eax & 1) {
			pmu.n_gp = leaf.ebx & 0xf;
			pmu.control = MSR_AMD_PERF_GLOBAL_CTL;
			pmu.status = MSR_AMD_PERF_GLOBAL_STATUS;
			pmu.clear = MSR_AMD_PERF_GLOBAL_STATUS_CLR;
			pmu.control_at_reset = pmu_rdmsr(pmu.control);
		}
	}
	pmu.counters = (1ull << pmu.n_gp) - 1;
	return pmu.n_gp >= 4;
}

bool pmu_discover(void)
{
	/* "GenuineIntel", "AuthenticAMD" */
	switch (cpuid(0, 0).ebx) {
	case 0x756e6547:
		return discover_intel();
	case 0x68747541:
		return discover_amd();
	default:
		return false;
	}
}

struct pmu_bits pmu_valid_bits(void)
{
	const struct cpuid leaf = cpuid(0xa, 0);
	struct pmu_bits_cpuid id = {
		.pmu_eax = leaf.eax,
		.pmu_ecx = leaf.ecx,
		.pmu_edx = leaf.edx,
		.capabilities = pmu.capabilities,
	};

	if (cpuid_has_leaf(7)) {
		const struct cpuid features = cpuid(7, 0);

		id.features_ebx = features.ebx;
		/* ArchPerfmonExt. */
		if (features.eax >= 1 && cpuid(7, 1).eax >> 8 & 1)
			id.extended_ebx = cpuid(0x23, 0).ebx;
	}
	return pmu_bits(&id);
}

bool pmu_is_fixed(uint32_t n)
{
	return n >= pmu.n_gp;
}

uint64_t pmu_bit(uint32_t n)
{
	return pmu_is_fixed(n) ? GLOBAL_FIXED(n - pmu.n_gp) : GLOBAL_GENERAL(n);
}

uint32_t pmu_select_msr(uint32_t n)
{
	return pmu.vendor == PMU_AMD ? MSR_AMD_PERF_CTL0 + 2 * n : MSR_PERFEVTSEL0 + n;
}

uint32_t pmu_counter_msr(uint32_t n)
{
	if (pmu.vendor == PMU_AMD)
		return MSR_AMD_PERF_CTR0 + 2 * n;
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
		selected[n] = event;
		verdict_writes(pmu_select_msr(n),
			       pmu.control ? event : event & ~EVTSEL_EN, true);
		return;
	}
	control = pmu_rdmsr(MSR_FIXED_CTR_CTRL) & ~(0xfull << 4 * (n - pmu.n_gp));
	try_wrmsr(MSR_FIXED_CTR_CTRL, control | event << 4 * (n - pmu.n_gp));
}

void pmu_start(uint64_t enabled)
{
	uint32_t n;

	if (pmu.control) {
		try_wrmsr(pmu.control, enabled);
		return;
	}
	for (n = 0; n < pmu.n_gp; n++)
		if (enabled >> n & 1)
			try_wrmsr(pmu_select_msr(n), selected[n]);
}

void pmu_stop(void)
{
	uint32_t n;

	if (pmu.control) {
		try_wrmsr(pmu.control, 0);
		return;
	}
	for (n = 0; n < pmu.n_gp; n++)
		try_wrmsr(pmu_select_msr(n), selected[n] & ~EVTSEL_EN);
}

void pmu_clear_status(void)
{
	if (pmu.clear)
		try_wrmsr(pmu.clear, pmu.counters);
}

void pmu_reset(void)
{
	uint32_t n;

	try_wrmsr(MSR_DEBUGCTL, 0);
	pmu_stop();
	if (pmu.n_fixed)
		try_wrmsr(MSR_FIXED_CTR_CTRL, 0);
	for (n = 0; n < pmu.n_gp + pmu.n_fixed; n++) {
		if (!pmu_is_fixed(n)) {
			selected[n] = 0;
			try_wrmsr(pmu_select_msr(n), 0);
		}
		try_wrmsr(pmu_counter_msr(n), 0);
	}
	pmu_clear_status();
	if (pmu.version >= 4)
		try_wrmsr(pmu.clear, STATUS_FROZEN);
}
