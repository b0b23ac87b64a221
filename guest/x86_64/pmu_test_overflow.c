/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: widths of counters, overflow, the global status. */
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

void pmu_test_gp_width(void)
{
	uint32_t n;

	if (verdict_absent(!(pmu.capabilities & FULL_WIDTH)))
		return;
	for (n = 0; n < pmu.n_gp; n++) {
		pmu_write(n, ~0ull);
		verdict_msr(MSR_A_PMC0 + n, pmu.gp_mask);
		verdict_msr(MSR_PMC0 + n, pmu.gp_mask);
		verdict_writes(MSR_A_PMC0 + n, pmu.gp_mask + 1, false);
	}
}

void pmu_test_gp_signed(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++) {
		try_wrmsr(MSR_PMC0 + n, 0x7fffffff);
		verdict_msr(MSR_PMC0 + n, 0x7fffffff);
		try_wrmsr(MSR_PMC0 + n, 0x80000000);
		verdict_msr(MSR_PMC0 + n, pmu.gp_mask & ~0x7fffffffull);
	}
}

void pmu_test_fixed_width(void)
{
	uint32_t n;

	if (verdict_absent(!pmu.n_fixed))
		return;
	for (n = pmu.n_gp; n < pmu.n_gp + pmu.n_fixed; n++) {
		pmu_write(n, ~0ull);
		verdict_msr(pmu_counter_msr(n), pmu.fixed_mask);
		verdict_writes(pmu_counter_msr(n), pmu.fixed_mask + 1, false);
	}
}

static void wrap(uint32_t n, uint64_t event)
{
	uint64_t counted;

	pmu_select(n, event);
	counted = pmu_count(n, code_loop);
	pmu_clear_status();
	verdict_status(0);
	pmu_write(n, -100ull);
	pmu_run(pmu_bit(n), code_loop);
	verdict_equal(about_counter(n), pmu_read(n), counted - 100);
	verdict_status(pmu_bit(n));
	pmu_clear_status();
	pmu_select(n, 0);
}

void pmu_test_gp_wrap(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++)
		wrap(n, pmu.instructions | BOTH);
}

void pmu_test_fixed_wrap(void)
{
	if (!verdict_absent(!pmu.n_fixed))
		wrap(pmu.n_gp, 3);
}

/* Overflows counters 0 and 1. */
static void overflow_two(void)
{
	uint32_t n;

	for (n = 0; n < 2; n++) {
		pmu_select(n, pmu.instructions | BOTH);
		pmu_write(n, -100ull);
	}
	pmu_run(3, code_loop);
}

void pmu_test_status_reset(void)
{
	if (verdict_absent(pmu.n_gp < 2 || !pmu.status))
		return;
	overflow_two();
	verdict_status(3);
	try_wrmsr(pmu.clear, 2);
	verdict_status(1);
}

/* General counter 0, and fixed counter 0 if there is one. */
static uint64_t first_counters(void)
{
	return pmu_bit(0) | (pmu.n_fixed ? pmu_bit(pmu.n_gp) : 0);
}

void pmu_test_status_set(void)
{
	if (verdict_absent(pmu.version < 4))
		return;
	verdict_writes(MSR_GLOBAL_SET, first_counters(), true);
	verdict_msr(MSR_GLOBAL_STATUS, first_counters());
	verdict_writes(MSR_GLOBAL_SET, 1ull << 31, false);
}

void pmu_test_in_use(void)
{
	if (verdict_absent(pmu.version < 4))
		return;
	verdict_msr(MSR_GLOBAL_INUSE, 0);
	pmu_select(0, pmu.instructions);
	if (pmu.n_fixed)
		pmu_select(pmu.n_gp, 1);
	verdict_msr(MSR_GLOBAL_INUSE, first_counters());
	pmu_select(0, pmu.instructions | EVTSEL_INT);
	verdict_msr(MSR_GLOBAL_INUSE, first_counters() | 1ull << 63);
}
