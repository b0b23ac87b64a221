/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of `wsbench selftest pmu`: the PMU of the guest's vendor against the
 * manual, by bench/pmu_tests.def; and the verdict of the current test, in the series of
 * the page. Replaces sample.c. The ideas are those of kvm-unit-tests' x86/pmu.c. The
 * tests are in the files pmu_test_*.c, by subject.
 */
#include "guest/runtime.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

static enum pmu_test current;

static uint64_t *verdict(void)
{
	return runtime_series(ABI_PHASE_EVENT) + current;
}

void verdict_begin(enum pmu_test test, enum pmu_verdict without_failure)
{
	current = test;
	*verdict() = without_failure;
}

static void record(bool pass, enum pmu_relation relation, uint64_t about, uint64_t got,
		   uint64_t other)
{
	if (pass || PMU_RESULT_VERDICT(*verdict()) == PMU_FAIL)
		return;
	*verdict() = PMU_RESULT(PMU_FAIL, relation, about);
	runtime_series(ABI_PHASE_TWIN)[current] = got;
	runtime_series(ABI_PHASE_NULL)[current] = other;
}

void verdict_equal(uint64_t about, uint64_t got, uint64_t expected)
{
	record(got == expected, PMU_EQUAL, about, got, expected);
}

void verdict_at_least(uint64_t about, uint64_t got, uint64_t least)
{
	record(got >= least, PMU_AT_LEAST, about, got, least);
}

void verdict_at_most(uint64_t about, uint64_t got, uint64_t most)
{
	record(got <= most, PMU_AT_MOST, about, got, most);
}

void verdict_between(uint64_t about, uint64_t got, uint64_t least, uint64_t most)
{
	verdict_at_least(about, got, least);
	verdict_at_most(about, got, most);
}

bool verdict_absent(bool condition)
{
	if (condition)
		*verdict() = PMU_ABSENT;
	return condition;
}

void verdict_writes(uint32_t msr, uint64_t value, bool done)
{
	verdict_equal(PMU_ABOUT(PMU_WRMSR, msr, 0), try_wrmsr(msr, value), done);
}

void verdict_msr(uint32_t msr, uint64_t expected)
{
	verdict_equal(PMU_ABOUT(PMU_MSR, msr, 0), pmu_rdmsr(msr), expected);
}

void verdict_status(uint64_t expected)
{
	if (pmu.status)
		verdict_msr(pmu.status, expected);
}

uint64_t about_counter(uint32_t n)
{
	return pmu_is_fixed(n) ? PMU_ABOUT(PMU_FIXED, n - pmu.n_gp, 0)
			       : PMU_ABOUT(PMU_GENERAL, n, 0);
}

#define PMU_TEST(vendor, id, text)                                                       \
	[PMU_TEST_##vendor##_##id] = { PMU_##vendor, pmu_test_##id },
static const struct {
	enum pmu_vendor vendor;
	void (*run)(void);
} tests[PMU_TESTS] = {
#include "bench/pmu_tests.def"
};

void sample_all(const struct abi_params *params)
{
	uint32_t i;

	if (params->events != PMU_TESTS || !(params->flags & ABI_FLAG_PMU) ||
	    !pmu_discover())
		runtime_stop(ABI_STATE_ABSENT);
	rings_init();
	interrupts_init();
	for (i = 0; i < PMU_TESTS; i++) {
		if (tests[i].vendor != pmu.vendor) {
			verdict_begin(i, PMU_OTHER);
			continue;
		}
		pmu_reset();
		verdict_begin(i, PMU_PASS);
		tests[i].run();
	}
	runtime_series_end(ABI_PHASE_NULL, params->events);
	runtime_series_end(ABI_PHASE_EVENT, params->events);
	runtime_series_end(ABI_PHASE_TWIN, params->events);
}
