/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-test: the host's counters of a vCPU thread. */
#include "host/selftest/selftest_vm.h"
#include "host/vmm/perf.h"

#define EVENTS 2000u

static enum selftest_verdict judge(struct selftest *t, const struct perf_values *a,
				   const struct perf_values *b)
{
	int event;

	if (!b->counted[PERF_TASK_CLOCK_NS] ||
	    b->value[PERF_TASK_CLOCK_NS] <= a->value[PERF_TASK_CLOCK_NS])
		return selftest_fail(t, "the task clock did not move");
	for (event = 0; event < PERF_TASK_CLOCK_NS; event++)
		if (b->counted[event] && b->value[event] <= a->value[event])
			return selftest_fail(t, "%s did not move", perf_name(event));
	/* Each write is some instructions of the guest, and far more of the host. */
	if (b->counted[PERF_GUEST_INSNS] &&
	    (b->value[PERF_GUEST_INSNS] - a->value[PERF_GUEST_INSNS] < 2 * EVENTS ||
	     b->value[PERF_HOST_INSNS] - a->value[PERF_HOST_INSNS] < 100 * EVENTS))
		return selftest_fail(t, "guest and host are not told apart");
	return SELFTEST_PASS;
}

enum selftest_verdict selftest_perf(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_WRITES, .events = EVENTS };
	const struct vm_config config = selftest_config();
	struct perf_values before, after;
	struct perf_counters counters;
	enum selftest_verdict verdict;

	if (perf_open(&counters)) {
		perf_close(&counters);
		return selftest_skip(t, "%s", counters.why);
	}
	if (perf_read(&counters, &before)) {
		verdict = selftest_fail(t, "the counters cannot be read");
	} else {
		verdict = selftest_simple(t, &config, NULL, &params);
		if (verdict == SELFTEST_PASS && perf_read(&counters, &after))
			verdict = selftest_fail(t, "the counters cannot be read");
		if (verdict == SELFTEST_PASS)
			verdict = judge(t, &before, &after);
	}
	if (verdict == SELFTEST_PASS && counters.fd[PERF_GUEST_CYCLES] < 0)
		verdict = selftest_skip(t, "software events work; %s", counters.why);
	perf_close(&counters);
	return verdict;
}
