/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: accesses that raise #GP, and RDPMC. */
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define CR4_PCE (1ull << 8)

static void each_reserved(uint32_t number, uint64_t allowed)
{
	uint32_t bit;

	for (bit = 0; bit < 64; bit++)
		if (!(allowed >> bit & 1))
			verdict_equal(PMU_ABOUT(PMU_WRMSR_BIT, number, bit),
				      try_wrmsr(number, 1ull << bit), false);
}

void pmu_test_reserved_select(void)
{
	const struct pmu_bits valid = pmu_valid_bits();
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++)
		each_reserved(MSR_PERFEVTSEL0 + n,
			      valid.select | (n == 2 ? valid.select_2 : 0));
}

void pmu_test_reserved_fixed(void)
{
	const struct pmu_bits valid = pmu_valid_bits();

	if (!verdict_absent(!valid.fixed_counters))
		each_reserved(MSR_FIXED_CTR_CTRL, valid.fixed);
}

void pmu_test_reserved_global(void)
{
	each_reserved(MSR_PERF_GLOBAL_CTRL, pmu_valid_bits().global);
}

void pmu_test_reserved_status(void)
{
	each_reserved(MSR_PERF_GLOBAL_OVF_CTRL, pmu_valid_bits().status);
}

void pmu_test_reserved_debugctl(void)
{
	each_reserved(MSR_DEBUGCTL, 0xffc7);
}

void pmu_test_read_only(void)
{
	verdict_writes(MSR_GLOBAL_STATUS, 0, false);
	verdict_writes(MSR_PERF_CAPABILITIES, pmu.capabilities, false);
	if (pmu.version >= 4)
		verdict_writes(MSR_GLOBAL_INUSE, 0, false);
}

void pmu_test_absent_msrs(void)
{
	uint64_t value;

	if (pmu.n_gp < 8) {
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_PMC0 + pmu.n_gp, 0),
			      try_rdmsr(MSR_PMC0 + pmu.n_gp, &value), false);
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_PERFEVTSEL0 + pmu.n_gp, 0),
			      try_rdmsr(MSR_PERFEVTSEL0 + pmu.n_gp, &value), false);
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_A_PMC0 + pmu.n_gp, 0),
			      try_rdmsr(MSR_A_PMC0 + pmu.n_gp, &value), false);
	}
	if (pmu.n_fixed < 7 && !(pmu_valid_bits().fixed_counters >> pmu.n_fixed & 1))
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_FIXED_CTR0 + pmu.n_fixed, 0),
			      try_rdmsr(MSR_FIXED_CTR0 + pmu.n_fixed, &value), false);
}

void pmu_test_rdpmc(void)
{
	uint64_t value;
	uint32_t n;

	for (n = 0; n < pmu.n_gp + pmu.n_fixed; n++) {
		const uint32_t index = pmu_is_fixed(n) ? RDPMC_FIXED(n - pmu.n_gp) : n;

		pmu_write(n, ~0x123ull << n);
		verdict_equal(PMU_ABOUT(PMU_RDPMC, index, 0), try_rdpmc(index, &value),
			      true);
		verdict_equal(PMU_ABOUT(PMU_RDPMC_VALUE, index, 0), value, pmu_read(n));
	}
}

void pmu_test_rdpmc_index(void)
{
	uint64_t value;

	verdict_equal(PMU_ABOUT(PMU_RDPMC, pmu.n_gp, 0), try_rdpmc(pmu.n_gp, &value),
		      false);
	if (!(pmu_valid_bits().fixed_counters >> pmu.n_fixed & 1))
		verdict_equal(PMU_ABOUT(PMU_RDPMC, RDPMC_FIXED(pmu.n_fixed), 0),
			      try_rdpmc(RDPMC_FIXED(pmu.n_fixed), &value), false);
}

static volatile bool rdpmc_done;

static void rdpmc_0(void)
{
	uint64_t value;

	rdpmc_done = try_rdpmc(0, &value);
}

void pmu_test_rdpmc_user(void)
{
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	ring_call(3, rdpmc_0);
	verdict_equal(PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 0), rdpmc_done, false);
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_PCE) : "memory");
	ring_call(3, rdpmc_0);
	verdict_equal(PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 1), rdpmc_done, true);
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4) : "memory");
}
