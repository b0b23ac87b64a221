/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-test: the PMU's MSRs, emulated by the VMM. */
#include "host/selftest/selftest_vm.h"

enum selftest_verdict selftest_pmu_msrs(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_PMU_MSRS };
	struct vm_config config = selftest_config();

	config.pmc_msr_user = true;
	return selftest_simple(t, &config, NULL, &params);
}
