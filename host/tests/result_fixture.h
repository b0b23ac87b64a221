/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document for the tests in which every member has a distinct value. */
#ifndef WS_TESTS_RESULT_FIXTURE_H
#define WS_TESTS_RESULT_FIXTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "host/lib/error.h"
#include "host/result/result.h"

static void fixture_boot(struct result *r, struct result_metric *m)
{
	int64_t samples[] = { -5, 1490, 1495, 1495, 70000 };
	struct result_boot *boot = result_add_boot(r, m);

	boot->index = 7;
	boot->valid = false;
	boot->reject_reason = result_string(r, "migrated \"twice\" \\ [ 1,\n 2 ]");
	boot->summary = (struct stats_summary){
		.n = 5,
		.min = -5,
		.p1 = 0.1,
		.p5 = 5.5,
		.p25 = 25.25,
		.p50 = 50.5,
		.p75 = 75.75,
		.p90 = 90.125,
		.p95 = 95.5,
		.p99 = 99.5,
		.p99_9 = 1e300,
		.max = 70000,
		.mean = 1 / 3.0,
		.sd = 5e-324,
		.mad = 2.9652,
	};
	boot->steady.autocorrelation = -0.25;
	boot->steady.first_half = 50.25;
	boot->steady.second_half = 50.75;
	boot->steady.p = 0.125;
	*result_add_mode(r, boot) = (struct result_mode){ 20.5, 0.375 };
	*result_add_mode(r, boot) = (struct result_mode){ 80.5, 0.625 };
	boot->interrupts = 11;
	boot->involuntary_switches = 12;
	boot->migrations = 13;
	boot->pace_spread = 0.5;
	cr_assert_eq(histogram_build(samples, 5, 7, &boot->histogram), 0);
}

static void fixture_pmu(struct result *r)
{
	struct result_pmu_source *source = result_add_pmu_source(r);
	struct result_pmu_register *reg = result_add_pmu_register(r, source);

	source->who = "guest";
	source->config = result_string(r, "pmu-emulated");
	reg->name = result_string(r, "PMCR_EL0");
	reg->value = result_string(r, "0x41013041");
	reg->note = result_string(r, "as the guest sees it");
}

static void fixture_benchmark(struct result *r)
{
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m;

	b->name = result_string(r, "hypercall");
	b->config = result_string(r, "default");
	b->vcpus = 6;
	b->vms = 7;
	b->oversubscribed = true;
	b->group = result_string(r, "exit");
	b->handled_by = HANDLED_USER;
	b->status = RESULT_FAIL;
	b->reason = result_string(r, "too few exits");
	b->exits = (struct result_exits){
		1000, 999, 998, 3, 4, 500, { result_string(r, "hypercalls"), 997, 996 },
	};
	b->statistics = (struct result_statistics){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	b->host_counters =
		(struct result_host_counters){ "software", "no PMU", 1, 2, 3, 4, 5, 6 };
	m = result_add_metric(r, b);
	m->name = result_string(r, "round_trip");
	m->unit = result_string(r, "insns");
	m->better = result_string(r, "lower");
	m->value = 1495;
	m->stat = result_string(r, "median-of-boot-medians");
	m->reason = result_string(r, "no two boots agree");
	m->ci = (struct result_ci){ 0.95, 1490.5, 1500.5,
				    result_string(r, "order-statistic") };
	m->bootstrap = (struct result_ci){ 0.75, 1491.5, 1499.5,
					   result_string(r, "hierarchical-bca") };
	fixture_boot(r, m);
}

static void fixture_run(struct result *r)
{
	r->run.id = result_string(r, "20260901T000000Z-1a2b");
	r->run.started = result_string(r, "2026-09-01T00:00:00Z");
	r->run.finished = result_string(r, "2026-09-01T00:01:00Z");
	r->run.seed = RESULT_SEED_MAX;
	r->run.partial = true;
	result_add_argv(r, "wsbench");
	result_add_argv(r, "run");
	result_add_argv(r, "--on");
	r->run.tool_version = result_string(r, "0.1");
	r->run.tool_commit = result_string(r, "be8e394");
	r->run.tool_dirty = true;
	r->run.pair = (struct result_pair){ result_string(r, "20260901T000000Z-0000"),
					    "new", result_string(r, "pmu-off") };
	r->subject.kernel = result_string(r, "6.1.0-56-cloud-arm64");
	r->subject.label = result_string(r, "mit \xc3\xbc");
	r->subject.commit = result_string(r, "cafe");
}

/* Free it with result_free(). */
static struct result *fixture(void)
{
	struct result *r = result_new();
	struct result_check *check;

	fixture_run(r);
	r->target = (struct result_target){ "lab:aarch64-vhe", "lab", "QEMU 7.2",
					    "arm64 VHE", true };
	r->machine = (struct result_machine){ "0123abcd", "aarch64", "max", "0x1", 2, 0 };
	check = result_add_check(r);
	*check = (struct result_check){ "governor", "powersave", "performance", "warn" };
	r->tuned = true;
	r->clock = (struct result_clock){ "CNTVCT_EL0", 1000000000, "insns", 1,
					  500000000,	7,	    3,	     3.5 };
	fixture_benchmark(r);
	fixture_pmu(r);
	result_warn(r, "noise", "%d of %d boots", 1, 10);
	return r;
}

/* The value at a JSON pointer without escapes. */
static inline json_t *at(json_t *value, const char *pointer)
{
	char path[256], *step, *rest = path;

	snprintf(path, sizeof(path), "%s", *pointer ? pointer + 1 : "");
	while (*pointer && (step = strsep(&rest, "/")))
		value = json_is_array(value)
				? json_array_get(value, strtoul(step, NULL, 10))
				: json_object_get(value, step);
	return value;
}

static inline struct result *parse(const char *text)
{
	struct error err = { "" };
	struct result *r;
	int rc = result_parse(text, strlen(text), &r, &err);

	cr_assert_eq(rc, 0, "%s", err.text);
	return r;
}

#endif
