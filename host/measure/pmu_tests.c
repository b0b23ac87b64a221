/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's PMU against the manual: one boot of the payload pmu_test, and its verdicts.
 */
#include <errno.h>
#include <inttypes.h>
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

/* A line of test `i`, and the reason of a failure. Returns whether the test failed. */
static bool report(const struct selftest_watch *watch, const struct boot_report *rep,
		   unsigned int i)
{
	const uint64_t result = rep->series[ABI_PHASE_EVENT][i];
	const uint64_t verdict = result & 0xff;
	char line[256];

	snprintf(line, sizeof(line), "%sok %u - %s%s",
		 verdict == PMU_PASS || verdict == PMU_ABSENT ? "" : "not ", i + 1,
		 pmu_test_texts[i],
		 verdict == PMU_ABSENT ? " # SKIP CPUID does not report it" : "");
	say(watch, line);
	if (verdict == PMU_PASS || verdict == PMU_ABSENT)
		return false;
	snprintf(line, sizeof(line),
		 "# counter or MSR 0x%" PRIx64 ": found 0x%" PRIx64
		 ", expected 0x%" PRIx64,
		 result >> 8, rep->series[ABI_PHASE_TWIN][i],
		 rep->series[ABI_PHASE_NULL][i]);
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
			"the guest has no architectural PMU of Intel, version 2 or later");
	if (!rc) {
		say(watch, "TAP version 13");
		snprintf(line, sizeof(line), "1..%d%s%s",
			 rep.outcome == BOOT_DONE ? PMU_TESTS : 0,
			 rep.outcome == BOOT_DONE ? "" : " # SKIP ",
			 rep.outcome == BOOT_DONE ? "" : rep.reason);
		say(watch, line);
	}
	for (unsigned int i = 0; !rc && rep.outcome == BOOT_DONE && i < PMU_TESTS; i++)
		failed += report(watch, &rep, i);
	boot_report_free(&rep);
	result_free(r);
	return rc ? rc : failed;
}
