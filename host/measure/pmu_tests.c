/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's PMU against the manual: one boot of the payload pmu_test, and its verdicts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/pmu.h"
#include "host/measure/pmu_tests.h"
#include "host/targets/boot.h"
#include "host/targets/payload.h"

const struct bench pmu_tests_row = { .id = "pmu_test", .group = "pmu_map" };

static void say(const struct selftest_watch *watch, const char *text)
{
	watch->line(watch->ctx, text);
}

/* The found value; `hex` is how values of it are read. */
static void name_subject(uint64_t result, bool *hex, char *text, size_t bytes)
{
	const unsigned int number = PMU_RESULT_NUMBER(result);
	const unsigned int detail = PMU_RESULT_DETAIL(result);

	*hex = false;
	switch (PMU_RESULT_SUBJECT(result)) {
	case PMU_GENERAL:
		snprintf(text, bytes, "general counter %u", number);
		return;
	case PMU_FIXED:
		snprintf(text, bytes, "fixed counter %u", number);
		return;
	case PMU_AT_CPL:
		snprintf(text, bytes, "general counter %u at CPL %u", number, detail);
		return;
	case PMU_SUM:
		snprintf(text, bytes, "general counters %u and %u together", number,
			 detail);
		return;
	case PMU_MSR:
		*hex = true;
		snprintf(text, bytes, "MSR 0x%x", number);
		return;
	case PMU_MSR_IN_PMI:
		*hex = true;
		snprintf(text, bytes, "MSR 0x%x in the interrupt's handler", number);
		return;
	case PMU_APIC_IN_PMI:
		*hex = true;
		snprintf(text, bytes, "APIC register 0x%x in the interrupt's handler",
			 number);
		return;
	case PMU_INTERRUPTS:
		snprintf(text, bytes, "interrupts");
		return;
	case PMU_RDPMC_VALUE:
		*hex = true;
		snprintf(text, bytes, "RDPMC of 0x%x", number);
		return;
	case PMU_WRMSR:
		snprintf(text, bytes, "WRMSR of 0x%x (1: done, 0: #GP)", number);
		return;
	case PMU_WRMSR_BIT:
		snprintf(text, bytes, "WRMSR of 0x%x with bit %u (1: done, 0: #GP)",
			 number, detail);
		return;
	case PMU_RDMSR:
		snprintf(text, bytes, "RDMSR of 0x%x (1: done, 0: #GP)", number);
		return;
	case PMU_RDPMC:
		snprintf(text, bytes, "RDPMC of 0x%x (1: done, 0: #GP)", number);
		return;
	case PMU_IN_GUEST:
		snprintf(text, bytes, "general counter %u in a nested guest", number);
		return;
	case PMU_EXIT:
		*hex = true;
		snprintf(text, bytes, "exit of a nested guest");
		return;
	case PMU_VMCS:
		*hex = true;
		snprintf(text, bytes, "VMCS field 0x%x", number);
		return;
	case PMU_TIMER:
		snprintf(text, bytes, "ticks of the preemption timer");
		return;
	case PMU_RDPMC_AT_CPL3:
		snprintf(text, bytes, "RDPMC at CPL 3 with CR4.PCE %u (1: done, 0: #GP)",
			 detail);
		return;
	}
	snprintf(text, bytes, "unknown subject 0x%" PRIx64, result);
}

void measure_pmu_reason(uint64_t result, uint64_t found, uint64_t other, char *text,
			size_t bytes)
{
	static const char *const relations[] = {
		[PMU_EQUAL] = "=",
		[PMU_AT_LEAST] = ">=",
		[PMU_AT_MOST] = "<=",
	};
	const unsigned int relation = PMU_RESULT_RELATION(result);
	const char *sign = relation <= PMU_AT_MOST ? relations[relation] : "?";
	char subject[96];
	bool hex;

	name_subject(result, &hex, subject, sizeof(subject));
	if (hex)
		snprintf(text, bytes, "%s: found 0x%" PRIx64 ", expected %s 0x%" PRIx64,
			 subject, found, sign, other);
	else
		snprintf(text, bytes, "%s: found %" PRIu64 ", expected %s %" PRIu64,
			 subject, found, sign, other);
}

static bool is_of_guest(const struct boot_report *rep, unsigned int i)
{
	return PMU_RESULT_VERDICT(rep->series[ABI_PHASE_EVENT][i]) != PMU_OTHER;
}

/* A line of test `i`, and the reason of a failure. Returns whether the test failed. */
static bool report(const struct selftest_watch *watch, const struct boot_report *rep,
		   unsigned int i, unsigned int number)
{
	const uint64_t result = rep->series[ABI_PHASE_EVENT][i];
	const enum pmu_verdict verdict = PMU_RESULT_VERDICT(result);
	char line[256], reason[200];

	snprintf(line, sizeof(line), "%sok %u - %s%s",
		 verdict == PMU_PASS || verdict == PMU_ABSENT ? "" : "not ", number,
		 pmu_test_texts[i],
		 verdict == PMU_ABSENT ? " # SKIP CPUID does not report it" : "");
	say(watch, line);
	if (verdict == PMU_PASS || verdict == PMU_ABSENT)
		return false;
	measure_pmu_reason(result, rep->series[ABI_PHASE_TWIN][i],
			   rep->series[ABI_PHASE_NULL][i], reason, sizeof(reason));
	snprintf(line, sizeof(line), "# %s", reason);
	say(watch, line);
	return true;
}

int measure_pmu_tests(struct target *t, const struct config *config,
		      const struct selftest_watch *watch, struct error *err)
{
	struct boot_request rq = {
		.bench = &pmu_tests_row,
		.config = config,
		.params.events = PMU_TESTS,
		.cpu = -1,
	};
	struct result *r = result_new();
	struct boot_report rep;
	unsigned int n_tests = 0, number = 0, i;
	char line[640];
	int failed = 0, rc;

	rq.image = payload_find(t->arch, pmu_tests_row.id, &rq.image_bytes);
	if (!rq.image) {
		result_free(r);
		return error_set(err, -ENOENT,
				 "this wsbench has no payload of the tests for %s",
				 t->name);
	}
	boot_report_init(&rep);
	rc = t->ops->describe(t, &r, err);
	if (!rc)
		rc = boot_settle(&rep, t->ops->boot(t, &rq, &rep, err), err);
	if (!rc && rep.outcome == BOOT_CRASH)
		rc = error_set(err, -EIO, "%s: %s", t->name, rep.reason);
	if (!rc && rep.outcome == BOOT_SKIP && rep.guest.state == ABI_STATE_ABSENT)
		boot_end(
			&rep, BOOT_SKIP,
			"the guest has neither Intel's architectural PMU, version 2 or later, nor AMD's core counters (PerfCtrExtCore)");
	for (i = 0; !rc && rep.outcome == BOOT_DONE && i < PMU_TESTS; i++)
		n_tests += is_of_guest(&rep, i);
	if (!rc && rep.outcome == BOOT_DONE && !n_tests)
		rc = error_set(err, -EIO, "%s: the guest ran no test", t->name);
	if (!rc) {
		say(watch, "TAP version 13");
		snprintf(line, sizeof(line), "1..%u%s%s", n_tests,
			 rep.outcome == BOOT_DONE ? "" : " # SKIP ",
			 rep.outcome == BOOT_DONE ? "" : rep.reason);
		say(watch, line);
	}
	for (i = 0; !rc && rep.outcome == BOOT_DONE && i < PMU_TESTS; i++)
		if (is_of_guest(&rep, i))
			failed += report(watch, &rep, i, ++number);
	boot_report_free(&rep);
	result_free(r);
	return rc ? rc : failed;
}
