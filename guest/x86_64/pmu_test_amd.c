/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's self-test: the registers of AMD's core counters (APM vol. 2, 13.2).
 *
 * What the APM leaves open is as in the PPR of family 19h, and as KVM has it: WRMSR
 * ignores reserved bits, and PerfCntrGlobalStatus is read-only without #GP.
 */
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define MSR_LEGACY_CTL0	      0xc0010000
#define MSR_LEGACY_CTR0	      0xc0010004
#define LEGACY_COUNTERS	      4
#define MSR_GLOBAL_STATUS_SET 0xc0000303
#define CORE_COUNTERS_MOST    6 /* with addresses before those of the northbridge */

/* 19 and 42 are reserved, too, but keep what is written on Zen 3 and later. */
#define CTL_RESERVED (1ull << 21 | 0xfull << 36 | ~0ull << 43)

#define CPUID_PERF_CTR_EXT_NB (1u << 24) /* leaf 0x80000001 ECX */
#define CPUID_PERF_CTR_EXT_L3 (1u << 28)

void pmu_test_amd_disabled(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++) {
		pmu_select(n, pmu.instructions | EVTSEL_OS | EVTSEL_USR);
		pmu_write(n, 5);
		pmu_run(pmu_bit(n), code_loop);
		verdict_equal(about_counter(n), pmu_read(n), 5);
	}
}

void pmu_test_amd_global_reset(void)
{
	if (!verdict_absent(!pmu.control))
		verdict_equal(PMU_ABOUT(PMU_MSR, pmu.control, 0), pmu.control_at_reset,
			      pmu.counters);
}

void pmu_test_amd_aliases(void)
{
	const uint64_t event = pmu.branches | EVTSEL_OS;
	uint32_t n;

	for (n = 0; n < LEGACY_COUNTERS; n++) {
		pmu_select(n, event + n);
		verdict_msr(MSR_LEGACY_CTL0 + n, event + n);
		pmu_write(n, 100 + n);
		verdict_msr(MSR_LEGACY_CTR0 + n, 100 + n);
		verdict_writes(MSR_LEGACY_CTL0 + n, event + 4 + n, true);
		verdict_msr(pmu_select_msr(n), event + 4 + n);
		verdict_writes(MSR_LEGACY_CTR0 + n, 200 + n, true);
		verdict_msr(pmu_counter_msr(n), 200 + n);
	}
}

void pmu_test_amd_width(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++) {
		verdict_writes(pmu_counter_msr(n), ~0ull, true);
		verdict_msr(pmu_counter_msr(n), pmu.gp_mask);
		verdict_writes(pmu_counter_msr(n), (pmu.gp_mask + 1) | 7, true);
		verdict_msr(pmu_counter_msr(n), 7);
	}
}

void pmu_test_amd_status_set(void)
{
	if (verdict_absent(!pmu.status))
		return;
	verdict_writes(MSR_GLOBAL_STATUS_SET, 5, true);
	verdict_status(5);
	verdict_writes(MSR_GLOBAL_STATUS_SET, 2, true);
	verdict_status(7);
}

void pmu_test_amd_read_only(void)
{
	if (verdict_absent(!pmu.status))
		return;
	pmu_select(0, pmu.instructions | BOTH);
	pmu_write(0, -100ull);
	pmu_run(1, code_loop);
	verdict_writes(pmu.status, 0, true);
	verdict_status(1);
	verdict_writes(pmu.status, 3, true);
	verdict_status(1);
}

void pmu_test_amd_pmi(void)
{
	pmi_overflow_with(EVTSEL_INT);
	verdict_equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), pmi.count, 2);
	if (pmu.status)
		verdict_equal(PMU_ABOUT(PMU_MSR_IN_PMI, pmu.status, 0),
			      pmi.status & pmu.counters, 1);
	verdict_equal(PMU_ABOUT(PMU_APIC_IN_PMI, APIC_LVT_PMC, 0), pmi.lvt, APIC_VECTOR);
}

void pmu_test_amd_reserved(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++) {
		verdict_writes(pmu_select_msr(n), CTL_RESERVED | pmu.instructions, true);
		verdict_msr(pmu_select_msr(n), pmu.instructions);
	}
	if (!pmu.control)
		return;
	verdict_writes(pmu.control, ~0ull, true);
	verdict_msr(pmu.control, pmu.counters);
}

void pmu_test_amd_absent_msrs(void)
{
	uint64_t value;
	uint32_t n;

	for (n = pmu.n_gp; n < CORE_COUNTERS_MOST + 2; n++) {
		verdict_equal(PMU_ABOUT(PMU_RDMSR, pmu_select_msr(n), 0),
			      try_rdmsr(pmu_select_msr(n), &value), false);
		verdict_equal(PMU_ABOUT(PMU_RDMSR, pmu_counter_msr(n), 0),
			      try_rdmsr(pmu_counter_msr(n), &value), false);
		verdict_writes(pmu_counter_msr(n), 0, false);
	}
}

/* Behind the core counters are those of the northbridge and of the caches. */
void pmu_test_amd_rdpmc_index(void)
{
	const uint32_t features = cpuid(0x80000001, 0).ecx;
	uint64_t value;

	if (!(features & (CPUID_PERF_CTR_EXT_NB | CPUID_PERF_CTR_EXT_L3)))
		verdict_equal(PMU_ABOUT(PMU_RDPMC, pmu.n_gp, 0),
			      try_rdpmc(pmu.n_gp, &value), false);
	verdict_equal(PMU_ABOUT(PMU_RDPMC, 32, 0), try_rdpmc(32, &value), false);
	verdict_equal(PMU_ABOUT(PMU_RDPMC, RDPMC_FIXED(0), 0),
		      try_rdpmc(RDPMC_FIXED(0), &value), false);
}
