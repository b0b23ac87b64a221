/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of `wsbench selftest pmu`: the PMU of the guest's vendor against the
 * manual, by bench/pmu_tests.def. Replaces sample.c. The ideas are those of
 * kvm-unit-tests' x86/pmu.c. The tests are in the files pmu_test_*.c, by subject.
 */
#include "guest/runtime.h"
#include "guest/x86_64/pmu_test.h"

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
