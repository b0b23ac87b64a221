/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of a run: the effect of an error of one boot on rows and the run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/measure/figures.h"
#include "host/measure/measure.h"
#include "host/result/result.h"
#include "host/targets/target.h"
#include "host/tests/scaled_fixture.h"

#define CLOCK_KHZ 24000ull

/* The error of the boots of the row "cpuid" under "default"; other rows are skipped. */
struct fault {
	int rc;
	const char *text;
};

static int fake_boot(struct target *t, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err)
{
	const struct fault *fault = t->config;

	boot_report_init(rep);
	cr_expect_eq(rq->params.clock_khz, CLOCK_KHZ, "bodies wait by it");
	if (strcmp(rq->bench->id, "cpuid") != 0 ||
	    strcmp(rq->config->name, "default") != 0) {
		boot_end(rep, BOOT_SKIP, "booted");
		return 0;
	}
	/* The state that a driver leaves that fails half-way. */
	rep->series[ABI_PHASE_EVENT] = calloc(8, sizeof(uint64_t));
	return error_set(err, fault->rc, "%s", fault->text);
}

static int fake_describe(struct target *t, struct result **out, struct error *err)
{
	struct result *r = *out;

	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.exact = t->exact;
	r->clock.unit = "insns";
	(void)err;
	return 0;
}

static int describe_clock(struct target *t, struct result **out, struct error *err)
{
	(*out)->clock.hz = CLOCK_KHZ * 1000;
	return fake_describe(t, out, err);
}

static const struct target_ops fake_ops = {
	.kind = "fake",
	.describe = describe_clock,
	.boot = fake_boot,
};

/* Runs null, cpuid and rdtsc under two configs. Free the document with result_free(). */
static struct result *run(const struct fault *fault, bool exact, int *rc, char why[512])
{
	static const char *const benches[] = { "null", "cpuid", "rdtsc" };
	static const char *const configs[] = { "default", "pmu-off" };
	struct target t = {
		.name = "fake",
		.arch = ARCH_X86_64,
		.exact = exact,
		.default_boots = 3,
		.default_events = 10,
		.ops = &fake_ops,
		.config = fault,
	};
	const struct job job = {
		.benches = benches,
		.n_benches = 3,
		.configs = configs,
		.n_configs = 2,
		.cpu = -1,
	};
	const struct measure_watch watch = { .ctx = NULL };
	struct error err = { "" };
	struct result *r = NULL;

	*rc = measure_run(&t, &job, &watch, &r, &err);
	snprintf(why, 512, "%s", err.text);
	return r;
}

static void expect_row(const struct result *r, const char *name, const char *config,
		       enum result_status status, const char *reason)
{
	const struct result_benchmark *b = result_find(r, name, config);

	cr_assert_not_null(b, "%s [%s] is missing", name, config);
	cr_expect_eq(b->status, status, "%s [%s] is %s: %s", name, config,
		     result_status_name(b->status), b->reason);
	cr_expect_str_eq(b->reason, reason);
}

/* The failing row has the status and reason, and every other row was booted. */
static void expect_only_row(struct fault fault, enum result_status status,
			    const char *reason)
{
	for (int exact = 0; exact < 2; exact++) {
		char why[512];
		int rc;
		struct result *r = run(&fault, exact, &rc, why);

		cr_expect_eq(rc, 0, "%d: %s", rc, why);
		cr_assert_eq(r->n_benchmarks, 6);
		cr_expect(!r->run.partial);
		expect_row(r, "null", "default", RESULT_SKIP, "booted");
		expect_row(r, "cpuid", "default", status, reason);
		expect_row(r, "cpuid", "pmu-off", RESULT_SKIP, "booted");
		expect_row(r, "rdtsc", "default", RESULT_SKIP, "booted");
		expect_row(r, "rdtsc", "pmu-off", RESULT_SKIP, "booted");
		result_free(r);
	}
}

static int boot_that_counts(struct target *t, const struct boot_request *rq,
			    struct boot_report *rep, struct error *err)
{
	(void)err;
	if (!strcmp(rq->config->name, "hlt-passthrough"))
		++*(unsigned int *)(uintptr_t)t->config;
	boot_report_init(rep);
	boot_end(rep, BOOT_SKIP, "booted");
	return 0;
}

/* The parameters of boots of a row. */
static struct abi_params params_of(const char *bench, bool exact)
{
	const struct target t = { .name = "fake",
				  .arch = ARCH_X86_64,
				  .exact = exact,
				  .default_boots = 1,
				  .default_events = 500,
				  .default_warmup = 24,
				  .ops = &fake_ops };
	const struct job job = { .benches = &bench, .n_benches = 1, .cpu = -1 };
	struct abi_params params;
	struct error err = { "" };
	struct plan plan;

	cr_assert_eq(plan_make(&job, &t, &plan, &err), 0, "%s", err.text);
	cr_assert_eq(plan.n_rows, 1);
	params = plan_params(&plan, &plan.rows[0]);
	plan_free(&plan);
	return params;
}

/* A pattern of events that repeats is whole in a batch, too, up to a period of 8. */
Test(measure, batches_of_exact_targets_are_short)
{
	const struct abi_params exact = params_of("null", true);
	const struct abi_params noisy = params_of("null", false);

	cr_expect_gt(exact.batch, 0);
	cr_expect_eq(exact.batch % 8, 0);
	cr_expect_eq(exact.repeat % exact.batch, 0);
	cr_expect_lt(exact.batch, noisy.batch);
	cr_expect_eq(noisy.repeat, 0);
}

/* A tenth of the other rows' on noisy targets; the figures of exact ones rest on ten. */
Test(measure, rows_of_the_pmu_map_have_a_warm_up_of_their_own)
{
	cr_expect_eq(params_of("pmu_perf_capabilities_read", true).warmup, 10);
	cr_expect_eq(params_of("pmu_perf_capabilities_read", false).warmup, 2);
	cr_expect_eq(params_of("null", true).warmup, 24);
}

/* Their state needs more bodies than that of others, until events are all alike. */
Test(measure, nested_rows_have_a_longer_warm_up_on_exact_targets)
{
	cr_expect_eq(params_of("nested_page_fault", true).warmup, 100);
	cr_expect_eq(params_of("nested_page_fault", false).warmup, 24);
}

/* The guest could hang, and in a lab the host with it. */
Test(measure, a_row_that_its_config_excludes_is_not_booted)
{
	static const char *const benches[] = { "hlt_user" };
	static const char *const configs[] = { "default", "hlt-passthrough" };
	static const struct target_ops ops = {
		.kind = "fake",
		.describe = fake_describe,
		.boot = boot_that_counts,
	};

	for (int exact = 0; exact < 2; exact++) {
		unsigned int booted = 0;
		struct target t = {
			.name = "fake",
			.arch = ARCH_X86_64,
			.exact = exact,
			.default_boots = 2,
			.default_events = 10,
			.ops = &ops,
			.config = &booted,
		};
		const struct job job = {
			.benches = benches,
			.n_benches = 1,
			.configs = configs,
			.n_configs = 2,
			.cpu = -1,
		};
		const struct measure_watch watch = { .ctx = NULL };
		struct error err = { "" };
		struct result *r = NULL;

		cr_assert_eq(measure_run(&t, &job, &watch, &r, &err), 0, "%s", err.text);
		expect_row(r, "hlt_user", "default", RESULT_SKIP, "booted");
		expect_row(
			r, "hlt_user", "hlt-passthrough", RESULT_SKIP,
			"HLT does not exit under this config: the VMM would not wake the guest");
		cr_expect_eq(booted, 0);
		result_free(r);
	}
}

Test(measure, an_unsupported_call_skips_its_row)
{
	static const struct {
		int errnum;
		const char *name;
	} cases[] = {
		{ ENOSYS, "ENOSYS" }, { EINVAL, "EINVAL" }, { ENODEV, "ENODEV" },
		{ ENXIO, "ENXIO" },   { ENOTTY, "ENOTTY" }, { EBUSY, "EBUSY" },
		{ EPERM, "EPERM" },   { EACCES, "EACCES" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200], reason[256];

		snprintf(text, sizeof(text), "MADV_NOHUGEPAGE: %s",
			 strerror(cases[i].errnum));
		snprintf(reason, sizeof(reason), "%s (%s)", text, cases[i].name);
		expect_only_row((struct fault){ -cases[i].errnum, text }, RESULT_SKIP,
				reason);
	}
}

Test(measure, a_missing_capability_skips_its_row)
{
	expect_only_row((struct fault){ -ENOTSUP, "this KVM has no irqfd" }, RESULT_SKIP,
			"this KVM has no irqfd");
}

Test(measure, any_other_error_fails_only_its_row)
{
	expect_only_row((struct fault){ -EIO, "KVM_GET_REGS: Input/output error" },
			RESULT_FAIL, "KVM_GET_REGS: Input/output error");
	expect_only_row((struct fault){ -ENOSPC, "a: No space left on device" },
			RESULT_FAIL, "a: No space left on device");
	/* EINVAL, but not from a system call. */
	expect_only_row((struct fault){ -EINVAL, "the checkpoint does not fit this VM" },
			RESULT_FAIL, "the checkpoint does not fit this VM");
}

Test(measure, an_error_that_affects_every_row_ends_the_run)
{
	static const int errors[] = { ENOMEM, ESHUTDOWN, EINTR, ENOEXEC };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		const struct fault fault = { -errors[i], "it is gone" };
		char why[512];
		int rc;
		struct result *r = run(&fault, true, &rc, why);

		cr_expect_eq(rc, -errors[i]);
		cr_expect_str_eq(why, "it is gone");
		cr_expect(r->run.partial);
		expect_row(r, "null", "default", RESULT_SKIP, "booted");
		if (errors[i] == EINTR)
			expect_row(r, "cpuid", "default", RESULT_SKIP,
				   "the run ended before its turn");
		else
			expect_row(r, "cpuid", "default", RESULT_FAIL, "it is gone");
		cr_expect_null(result_find(r, "rdtsc", NULL));
		result_free(r);
	}
}

/* Boots of cpuid, of which those of a bit mask do not exit as often as they should. */
struct flaky {
	unsigned int wrong, boots;
};

static int flaky_boot(struct target *t, const struct boot_request *rq,
		      struct boot_report *rep, struct error *err)
{
	struct flaky *flaky = t->state;

	(void)err;
	scaled_report(rep, rq->scale.vcpus > 1 ? 2 : 1, (const uint64_t[]){ 100, 100 });
	rep->lanes->span_ns = 1000;
	if (strcmp(rq->bench->id, "cpuid") != 0)
		boot_end(rep, BOOT_SKIP, "booted");
	else if (flaky->wrong >> flaky->boots++ & 1)
		rep->lanes->lane[0].counts.exits = 0;
	return 0;
}

static int flaky_describe(struct target *t, struct result **out, struct error *err)
{
	fake_describe(t, out, err);
	(*out)->target.hypervisor = "SVM";
	return 0;
}

/* Runs cpuid with `boots` boots of each of the first `scales` scales. */
static struct result *run_flaky(struct flaky *flaky, bool exact, uint32_t boots,
				size_t scales)
{
	static const char *const benches[] = { "cpuid" };
	static const struct target_ops ops = { .kind = "fake",
					       .describe = flaky_describe,
					       .boot = flaky_boot };
	struct target t = { .name = "fake",
			    .arch = ARCH_X86_64,
			    .exact = exact,
			    .default_boots = boots,
			    .default_events = 2,
			    .ops = &ops,
			    .state = flaky };
	const struct job job = { .benches = benches,
				 .n_benches = 1,
				 .scales = { { .vcpus = 1 }, { .vcpus = 2 } },
				 .n_scales = scales,
				 .cpu = -1 };
	const struct measure_watch watch = { .ctx = NULL };
	struct error err = { "" };
	struct result *r = NULL;

	cr_assert_eq(measure_run(&t, &job, &watch, &r, &err), 0, "%s", err.text);
	return r;
}

/* The boots of the row, whose rounds follow each other; `valid` of them are. */
static size_t count_boots(const struct result *r, const char *config, size_t *valid)
{
	const struct result_metric *m = &result_find(r, "cpuid", config)->metrics[0];

	*valid = 0;
	for (size_t k = 0; k < m->n_boots; k++) {
		cr_expect_eq(m->boots[k].index, k);
		*valid += m->boots[k].valid;
	}
	return m->n_boots;
}

/*
 * At most as often as there were rounds, and not if no boot was valid; a single boot is
 * repeated in any case.
 */
Test(measure, rejected_boots_are_repeated)
{
	static const struct {
		unsigned int wanted, wrong, boots, valid;
		bool is_exact;
	} rows[] = {
		{ 3, 0, 3, 3, false },	     { 3, 1u << 1, 4, 3, false },
		{ 3, 3u << 2, 5, 3, false }, { 3, 7u, 3, 0, false },
		{ 3, 0x3e, 6, 1, false },    { 3, 1u << 1, 3, 2, true },
		{ 1, 1, 2, 1, false },	     { 1, 3, 2, 0, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flaky flaky = { .wrong = rows[i].wrong };
		struct result *r = run_flaky(&flaky, rows[i].is_exact, rows[i].wanted, 1);
		size_t valid, boots = count_boots(r, "default@vcpus=1", &valid);

		cr_expect(boots == rows[i].boots && valid == rows[i].valid,
			  "case %zu: %zu of %zu boots are valid", i, valid, boots);
		result_free(r);
	}
}

/* Boots of one vCPU and of two, by turns. The efficiency compares those of one round. */
Test(measure, boots_of_all_scales_are_repeated)
{
	static const unsigned int wrong[] = { 1u << 0, 1u << 1, 1u << 2, 1u << 5 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct flaky flaky = { .wrong = wrong[i] };
		struct result *r = run_flaky(&flaky, false, 3, 2);
		const struct result_benchmark *two =
			result_find(r, "cpuid", "default@vcpus=2");
		const struct result_metric *m = result_find_metric(two, "efficiency");
		size_t valid[2], of_both = 0;

		cr_expect_eq(count_boots(r, "default@vcpus=1", &valid[0]), 4, "case %zu",
			     i);
		cr_expect_eq(count_boots(r, "default@vcpus=2", &valid[1]), 4, "case %zu",
			     i);
		cr_expect_eq(valid[0] + valid[1], 7, "case %zu", i);
		cr_assert_not_null(m);
		for (size_t k = 0; k < m->n_boots; k++)
			of_both += m->boots[k].valid;
		cr_expect_eq(of_both, 3, "case %zu: %zu", i, of_both);
		result_free(r);
	}
}

/* The phases of all scales have one length, for which the largest has room. */
Test(plan, every_scale_has_the_events_of_the_largest)
{
	static const char *const benches[] = { "cpuid" };
	const struct target t = {
		.name = "fake",
		.arch = ARCH_X86_64,
		.default_boots = 2,
		.default_events = 10000,
		.ops = &fake_ops,
	};
	const struct job job = {
		.benches = benches,
		.n_benches = 1,
		.scales = { { .vcpus = 1 }, { .vcpus = 8 }, { .vms = 2 }, { .vms = 16 } },
		.n_scales = 4,
		.cpu = -1,
	};
	struct plan plan;
	struct error err;

	cr_assert_eq(plan_make(&job, &t, &plan, &err), 0);
	cr_assert_eq(plan.n_rows, 4);
	for (size_t i = 0; i < plan.n_rows; i++)
		cr_expect_eq(plan_params(&plan, &plan.rows[i]).events, 4096, "row %zu",
			     i);
	plan_free(&plan);
}

/* The step of a batch's figure is the clock's over the bodies that the guest executes. */
Test(plan, a_batch_has_as_many_bodies_as_its_step_assumes)
{
	const struct plan plan = { .exact = false };
	size_t short_ones = 0;

	for (const struct bench *b = bench_table; b->id; b++) {
		const struct plan_row row = { .bench = b };
		uint32_t batch = plan_params(&plan, &row).batch;
		double bodies = result_bodies(b->id, RESULT_BATCH);

		if (b->needs & (NEEDS_COUNTS | FROM_DEADLINE))
			cr_expect(batch == 0 && bodies == 1, "%s", b->id);
		else
			cr_expect_eq(batch, bodies, "%s: %u and %g", b->id, batch,
				     bodies);
		cr_expect_eq(result_bodies(b->id, "round_trip"), 1);
		short_ones += batch == 5;
	}
	cr_expect_eq(result_bodies("hypercall", RESULT_BATCH), 50);
	cr_expect_gt(short_ones, 10);
}

/* Rows on a clock of 25 MHz: ticks of an event, of a batch of 50 (0: has none). */
static const struct {
	const char *bench;
	uint64_t event, batch;
} coarse_rows[] = {
	{ "null", 0, 1 },
	{ "hypercall", 10, 520 },
	{ "mmio_read_kernel", 30, 1510 },
	{ "mmio_read_user", 210, 10500 },
};
#define COARSE_ROWS (sizeof(coarse_rows) / sizeof(coarse_rows[0]))

/* What a test changes: all rows but null are longer; a row has no batch. */
struct coarse {
	uint64_t longer, step, hz;
	const char *no_batch;
};

static int coarse_boot(struct target *t, const struct boot_request *rq,
		       struct boot_report *rep, struct error *err)
{
	const struct coarse *how = t->state;

	(void)err;
	boot_report_init(rep);
	rep->outcome = BOOT_DONE;
	rep->guest.clock_hz = how->hz;
	rep->guest.clock_step = how->step;
	for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_BATCH_NULL; phase++) {
		rep->guest.samples[phase] = 2;
		rep->series[phase] = calloc(2, sizeof(uint64_t));
	}
	for (size_t k = 0; k < COARSE_ROWS; k++)
		for (size_t i = 0; i < 2 && !strcmp(coarse_rows[k].bench, rq->bench->id);
		     i++) {
			uint64_t *event = &rep->series[ABI_PHASE_EVENT][i];

			*event = coarse_rows[k].event;
			*event += *event ? how->longer : 0;
			rep->series[ABI_PHASE_BATCH][i] =
				coarse_rows[k].batch + (*event ? 50 * how->longer : 0);
		}
	if (how->no_batch && !strcmp(how->no_batch, rq->bench->id))
		rep->guest.samples[ABI_PHASE_BATCH] = 0;
	return 0;
}

static int coarse_describe(struct target *t, struct result **out, struct error *err)
{
	fake_describe(t, out, err);
	(*out)->clock.unit = t->exact ? "insns" : "ticks";
	return 0;
}

/* The last warning about the clock, "" if there is none, and their number. free() it. */
static char *warning_of(struct coarse how, bool exact, size_t *n)
{
	static const struct target_ops ops = { .kind = "fake",
					       .describe = coarse_describe,
					       .boot = coarse_boot };
	const char *benches[COARSE_ROWS];
	struct target t = { .name = "fake",
			    .arch = ARCH_AARCH64,
			    .exact = exact,
			    .default_boots = 3,
			    .default_events = 2,
			    .ops = &ops,
			    .state = &how };
	const struct job job = { .benches = benches,
				 .n_benches = COARSE_ROWS,
				 .cpu = -1 };
	const struct measure_watch watch = { .ctx = NULL };
	struct error err = { "" };
	struct result *r = NULL;
	char *text = NULL;

	for (size_t k = 0; k < COARSE_ROWS; k++)
		benches[k] = coarse_rows[k].bench;
	cr_assert_eq(measure_run(&t, &job, &watch, &r, &err), 0, "%s", err.text);
	cr_expect_eq(result_count(r, RESULT_OK), COARSE_ROWS);
	*n = 0;
	for (size_t i = 0; i < r->n_warnings; i++) {
		if (strcmp(r->warnings[i].code, "coarse-clock") != 0)
			continue;
		++*n;
		free(text);
		text = strdup(r->warnings[i].message);
	}
	result_free(r);
	return text ? text : strdup("");
}

static void expect_warning(struct coarse how, bool exact, const char *want)
{
	size_t n;
	char *text = warning_of(how, exact, &n);

	cr_expect_eq(n, *want ? 1 : 0);
	cr_expect_str_eq(text, want);
	free(text);
}

/* Once per document; not of the row that is the clock, and not on an exact target. */
Test(measure, a_coarse_clock_is_a_warning)
{
	struct coarse how = { .step = 1, .hz = 25000000 };

	expect_warning(
		how, false,
		"the clock advances in steps of 40 ns, more than 0.5 % of the round trip of 2 benchmarks: their round_trip_batch resolves it (compare --metric round_trip_batch)");
	expect_warning(how, true, "");
	how.no_batch = "hypercall";
	expect_warning(
		how, false,
		"the clock advances in steps of 40 ns, more than 0.5 % of the round trip of 2 benchmarks: the round_trip_batch of 1 of them resolves it (compare --metric round_trip_batch)");
	how.longer = 180;
	expect_warning(
		how, false,
		"the clock advances in steps of 40 ns, more than 0.5 % of the round trip of 1 benchmark");
	how.longer = 190;
	how.no_batch = NULL;
	expect_warning(how, false, "");
	/* Ticks of 1 ns, in steps of ten. */
	how = (struct coarse){ .longer = 0, .step = 10, .hz = 1000000000 };
	expect_warning(
		how, false,
		"the clock advances in steps of 10 ns, more than 0.5 % of the round trip of 3 benchmarks: their round_trip_batch resolves it (compare --metric round_trip_batch)");
}
