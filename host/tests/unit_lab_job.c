/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of jobs and reports on the lab's wire, intact and damaged. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/targets/job.h"
#include "host/targets/lab/wire.h"
#include "host/targets/target.h"

/*
 * Every member has a distinct value, different from that of a zeroed job. The machine of
 * a lab, which is not encoded, has none.
 */
static struct job full_job(void)
{
	static const char *const benches[] = { "hypercall", "cpuid" };
	static const char *const configs[] = { "default", "pmu-off", "" };
	static const char *const tests[] = { "regs-lazy" };
	struct job job = {
		.kind = JOB_MATRIX,
		.benches = benches,
		.configs = configs,
		.tests = tests,
		.n_benches = 2,
		.n_configs = 3,
		.n_tests = 1,
		.boots = 1000001,
		.events = 1000002,
		.pairs = true,
		.seed_given = true,
		.seed = 0xfedcba9876543210,
		.placement = 1000004,
		.cpu = -7,
		.timeout_ns = 0x123456789abcdef0,
		.host_counters = true,
		.trace_states = true,
		.symbols = true,
		.takes_turns = true,
		.ends = true,
		.payload = "/payload.elf",
		.scales = { { .vms = 7 } },
		.n_scales = 1,
	};

	for (size_t i = 0; i < sizeof(job.params); i++)
		((uint8_t *)&job.params)[i] = (uint8_t)(i + 1);
	return job;
}

/* A new member must be added to full_job(), to the codec and to expect_equal(). */
_Static_assert(sizeof(struct job) == 496, "struct job has another member");

static void expect_text(const char *a, const char *b)
{
	cr_expect_eq(!a, !b);
	if (a && b)
		cr_expect_str_eq(a, b);
}

static void expect_names(const char *const *a, size_t n_a, const char *const *b,
			 size_t n_b)
{
	cr_assert_eq(n_a, n_b);
	for (size_t i = 0; i < n_a; i++)
		expect_text(a[i], b[i]);
}

static void expect_equal(const struct job *a, const struct job *b)
{
	cr_expect_eq(a->kind, b->kind);
	expect_names(a->benches, a->n_benches, b->benches, b->n_benches);
	expect_names(a->configs, a->n_configs, b->configs, b->n_configs);
	expect_names(a->tests, a->n_tests, b->tests, b->n_tests);
	cr_expect_eq(a->boots, b->boots);
	cr_expect_eq(a->events, b->events);
	cr_expect_eq(a->pairs, b->pairs);
	cr_expect_eq(a->seed_given, b->seed_given);
	cr_expect_eq(a->seed, b->seed);
	cr_expect_eq(a->placement, b->placement);
	cr_expect_arr_eq(&a->params, &b->params, sizeof(a->params));
	cr_expect_eq(a->cpu, b->cpu);
	cr_expect_eq(a->timeout_ns, b->timeout_ns);
	cr_expect_eq(a->host_counters, b->host_counters);
	cr_expect_eq(a->trace_states, b->trace_states);
	cr_expect_eq(a->symbols, b->symbols);
	cr_expect_eq(a->takes_turns, b->takes_turns);
	cr_expect_eq(a->ends, b->ends);
	expect_text(a->payload, b->payload);
	expect_text(a->kernel, b->kernel);
	expect_text(a->modules, b->modules);
	expect_text(a->append, b->append);
	cr_assert_eq(a->n_scales, b->n_scales);
	cr_expect_arr_eq(a->scales, b->scales, sizeof(a->scales));
}

Test(job, every_member_survives_the_wire)
{
	const struct job full = full_job();
	const struct job empty = { .kind = JOB_DESCRIBE };
	static struct job_decoded out;
	static uint8_t block[JOB_BYTES];

	cr_assert_eq(job_encode(&full, block), 0);
	cr_assert_eq(job_decode(block, &out), 0);
	expect_equal(&full, &out.job);
	cr_assert_eq(job_encode(&empty, block), 0);
	cr_assert_eq(job_decode(block, &out), 0);
	expect_equal(&empty, &out.job);
}

/* A kernel of any path length does not make a job too long, nor move its bytes. */
Test(job, the_machine_is_not_encoded)
{
	static char path[JOB_BYTES];
	static uint8_t without[JOB_BYTES], with[JOB_BYTES];
	struct job job = full_job();

	memset(path, 'x', sizeof(path) - 1);
	cr_assert_eq(job_encode(&job, without), 0);
	job.kernel = job.modules = job.append = path;
	job.one_config = true;
	cr_assert_eq(job_encode(&job, with), 0);
	cr_expect_arr_eq(without, with, sizeof(with));
}

/* One flag at a time: a codec that swaps two flags fails. */
Test(job, flags_are_not_confused)
{
	static struct job_decoded out;
	static uint8_t block[JOB_BYTES];

	for (int i = 0; i < 5; i++) {
		struct job job = { .kind = JOB_BOOTS };
		bool *const flags[] = { &job.pairs, &job.seed_given, &job.host_counters,
					&job.trace_states, &job.symbols };

		*flags[i] = true;
		cr_assert_eq(job_encode(&job, block), 0);
		cr_assert_eq(job_decode(block, &out), 0);
		expect_equal(&job, &out.job);
	}
}

Test(job, a_job_that_does_not_fit_is_refused)
{
	static const char *names[JOB_NAMES_MAX + 1];
	static char longest[JOB_BYTES];
	static uint8_t block[JOB_BYTES];
	struct job job = { .kind = JOB_BOOTS, .benches = names };

	for (size_t i = 0; i <= JOB_NAMES_MAX; i++)
		names[i] = "a";
	job.n_benches = JOB_NAMES_MAX;
	cr_expect_eq(job_encode(&job, block), 0);
	job.n_benches++;
	cr_expect_eq(job_encode(&job, block), -E2BIG);
	memset(longest, 'x', sizeof(longest) - 1);
	job = (struct job){ .kind = JOB_BOOTS, .payload = longest };
	cr_expect_eq(job_encode(&job, block), -E2BIG);
}

Test(job, damaged_jobs_are_refused)
{
	const struct job full = full_job();
	static struct job_decoded out;
	static uint8_t good[JOB_BYTES], block[JOB_BYTES];
	uint8_t *text;

	cr_assert_eq(job_encode(&full, good), 0);
	memset(block, 0, sizeof(block));
	cr_expect_eq(job_decode(block, &out), -EBADMSG, "zeros");
	/* A changed byte gives an error, or a job whose texts end in the block. */
	for (size_t i = 0; i < 512; i++) {
		memcpy(block, good, sizeof(block));
		block[i] ^= 0xff;
		if (job_decode(block, &out))
			continue;
		for (size_t k = 0; k < out.job.n_benches; k++)
			cr_expect_leq(strlen(out.job.benches[k]), sizeof(block));
	}
	/* The texts follow the numbers: from the first one on there is no NUL. */
	memcpy(block, good, sizeof(block));
	text = memmem(block, sizeof(block), full.payload, strlen(full.payload));
	cr_assert_not_null(text);
	memset(text, 'x', (size_t)(block + sizeof(block) - text));
	cr_expect_eq(job_decode(block, &out), -EBADMSG, "a text without an end");
}

/* Static: host_counters.reason points into the report. */
static struct boot_report *sample_report(void)
{
	static struct boot_report rep;

	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	strcpy(rep.reason, "because");
	rep.unit = "cycles";
	rep.guest.magic = ABI_MAGIC;
	rep.counts[ABI_PHASE_EVENT] = (struct boot_counts){ 1, 2, 3, true, 4, 5, 6, 7 };
	rep.statistics.vm_exits = 77;
	strcpy(rep.counters_why, "no PMU");
	rep.waits = (struct boot_waits){ .switches = 7, .events = 2 };
	rep.host_counters = (struct result_host_counters){
		"software", rep.counters_why, 1, 2, 3, 4, 5, 6,
	};
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		rep.guest.samples[phase] = (uint64_t)phase;
		rep.series[phase] = calloc(ABI_PHASES, sizeof(uint64_t));
		for (int i = 0; i < phase; i++)
			rep.series[phase][i] = 100 * (uint64_t)phase + (uint64_t)i;
	}
	return &rep;
}

Test(report, arrives_as_it_was_sent)
{
	struct boot_report *in = sample_report(), out;
	const struct boot_counts *c = &out.counts[ABI_PHASE_EVENT];
	uint8_t *block;
	size_t n;

	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_expect_eq(out.outcome, BOOT_DONE);
	cr_expect_str_eq(out.reason, "because");
	cr_expect_str_eq(out.unit, "cycles");
	cr_expect_arr_eq(&out.guest, &in->guest, sizeof(in->guest));
	cr_expect(c->exits == 1 && c->user == 2 && c->interrupts == 3 &&
		  c->interrupts_exact && c->involuntary_switches == 4 &&
		  c->migrations == 5 && c->l0_exits == 6 && c->statistic == 7);
	cr_expect_eq(out.statistics.vm_exits, 77);
	cr_expect_str_eq(out.host_counters.source, "software");
	cr_expect_str_eq(out.host_counters.reason, "no PMU");
	cr_expect_eq(out.host_counters.context_switches, 6);
	cr_expect_eq(out.waits.switches, 7);
	cr_expect_eq(out.waits.events, 2);
	for (int phase = 0; phase < ABI_PHASES; phase++)
		cr_expect_arr_eq(out.series[phase], in->series[phase],
				 phase * sizeof(uint64_t));
	boot_report_free(&out);

	/* A report that is truncated or has trailing bytes is refused. */
	for (size_t cut = 0; cut < n; cut += 7)
		cr_expect_eq(boot_report_decode(block, cut, &out), -EBADMSG, "%zu", cut);
	block = realloc(block, n + 1);
	cr_expect_eq(boot_report_decode(block, n + 1, &out), -EBADMSG);
	boot_report_free(in);
	free(block);
}

/* A port costs an emulated machine some instructions per byte. */
Test(report, of_equal_samples_is_short)
{
	struct boot_report *in = sample_report(), out;
	const uint32_t last = ABI_SERIES_MAX - 1;
	uint64_t *event = calloc(ABI_SERIES_MAX, sizeof(uint64_t)),
		 *twin = calloc(ABI_SERIES_MAX, sizeof(uint64_t));
	size_t n, n_long;
	uint8_t *block;

	/* More than the longest repeat, and more different samples than a token has. */
	for (uint32_t i = 0; i <= last; i++) {
		event[i] = i == last ? 7 : 1524;
		twin[i] = i / 3;
	}
	free(in->series[ABI_PHASE_EVENT]);
	in->series[ABI_PHASE_EVENT] = event;
	in->guest.samples[ABI_PHASE_EVENT] = ABI_SERIES_MAX;
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_expect_lt(n, 1600, "%zu", n);
	free(block);
	free(in->series[ABI_PHASE_TWIN]);
	in->series[ABI_PHASE_TWIN] = twin;
	in->guest.samples[ABI_PHASE_TWIN] = ABI_SERIES_MAX;
	in->series[ABI_PHASE_BATCH] =
		realloc(in->series[ABI_PHASE_BATCH], ABI_SERIES_MAX * sizeof(uint64_t));
	in->guest.samples[ABI_PHASE_BATCH] = ABI_SERIES_MAX;
	for (uint64_t i = 0; i <= last; i++)
		in->series[ABI_PHASE_BATCH][i] = ~i;
	cr_assert_eq(boot_report_encode(in, &block, &n_long), 0);
	cr_assert_eq(boot_report_decode(block, n_long, &out), 0);
	cr_expect_arr_eq(out.series[ABI_PHASE_EVENT], event, (last + 1) * sizeof(*event));
	cr_expect_arr_eq(out.series[ABI_PHASE_TWIN], twin, (last + 1) * sizeof(*twin));
	cr_expect_arr_eq(out.series[ABI_PHASE_BATCH], in->series[ABI_PHASE_BATCH],
			 (last + 1) * sizeof(*twin));
	boot_report_free(&out);
	boot_report_free(in);
	free(block);
}

/* Lengths that a hostile machine claims. */
Test(report, with_wrong_lengths_is_refused)
{
	struct boot_report *in = sample_report(), out;
	uint32_t words;
	uint8_t *block;
	size_t n;

	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	memcpy(&words, block, sizeof(words));
	for (uint32_t lie = 0; lie < 5; lie++) {
		const uint32_t lies[] = { 0, words - 1, words + 1, 100 * words,
					  UINT32_MAX };

		memcpy(block, &lies[lie], sizeof(words));
		cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "%u",
			     lies[lie]);
	}
	memcpy(block, &words, sizeof(words));
	for (int at = 4; at < 8; at++) {
		const uint8_t was = block[at];

		block[at] = 0xff; /* of the first token: its words, then its repeats */
		cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "byte %d", at);
		block[at] = was;
	}
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	boot_report_free(&out);
	boot_report_free(in);
	free(block);
}

/* The report of a boot with a scale: three lanes with 1, 0 and 1 events of two. */
static struct boot_report *scaled_report(void)
{
	struct boot_report *rep = sample_report();

	_Static_assert(ABI_PHASE_EVENT == 2, "as many events are counted");
	rep->lanes = calloc(1, sizeof(*rep->lanes));
	rep->lanes->n = 3;
	rep->lanes->share = BOOT_SHARE_CORES;
	rep->lanes->span_ns = 1234;
	for (uint32_t i = 0; i < 3; i++)
		rep->lanes->lane[i] = (struct boot_lane){
			.events = 2,
			.counted = i != 1,
			.faults = i + 6,
			.l1_exits = i + 9,
			.counts = { i, i + 1, i + 2, true, 4, 5, -1 },
		};
	return rep;
}

Test(report, of_a_scale_arrives_as_it_was_sent)
{
	struct boot_report *in = scaled_report(), out;
	uint8_t *block;
	size_t n;

	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_assert_not_null(out.lanes);
	cr_expect_arr_eq(out.lanes, in->lanes, sizeof(*in->lanes));
	boot_report_free(&out);
	for (size_t cut = 0; cut < n; cut += 7)
		cr_expect_eq(boot_report_decode(block, cut, &out), -EBADMSG, "%zu", cut);
	boot_report_free(in);
	free(block);
}

/* The row fails, not the report. */
Test(report, of_a_scale_holds_any_count_of_a_guest)
{
	struct boot_report *in = scaled_report(), out;
	uint8_t *block;
	size_t n;

	in->lanes->lane[1].l1_exits = ABI_L1_EXITS_DIFFER;
	in->lanes->lane[2].faults = UINT64_MAX;
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_expect_eq(out.lanes->lane[1].l1_exits, ABI_L1_EXITS_DIFFER);
	cr_expect_eq(out.lanes->lane[2].faults, UINT64_MAX);
	boot_report_free(&out);
	boot_report_free(in);
	free(block);
}

/* What a lane claims fits the events of the report. */
Test(report, of_a_scale_with_wrong_lanes_is_refused)
{
	for (int lie = 0; lie < 6; lie++) {
		struct boot_report *in = scaled_report(), out;
		uint8_t *block;
		size_t n;

		if (lie == 0)
			in->lanes->n = 0;
		else if (lie == 1)
			in->lanes->n = BOOT_SCALE_MAX + 1;
		else if (lie == 2)
			in->lanes->lane[0].counted = 2;
		else if (lie == 3)
			in->lanes->lane[2].events = 0;
		else if (lie == 4)
			in->lanes->lane[1].counts.exits = -2;
		else
			in->lanes->share = BOOT_SHARES;
		cr_assert_eq(boot_report_encode(in, &block, &n), 0);
		cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "lie %d", lie);
		boot_report_free(in);
		free(block);
	}
}

/* Counts, strings and states of a report are checked. */
Test(report, with_wrong_counts_or_states_is_refused)
{
	struct boot_report *in = sample_report(), out;
	uint8_t *block;
	size_t n;

	in->guest.samples[3] = 2; /* but three values follow */
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	block[0] = 0x7f;
	cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "an unknown outcome");
	free(block);
	in->unit = "furlongs";
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "an unknown unit");
	free(block);
	boot_report_free(in);
}

Test(report, without_figures_has_its_reason)
{
	struct boot_report in, out;
	uint8_t *block;
	size_t n;

	boot_report_init(&in);
	in.outcome = BOOT_SKIP;
	strcpy(in.reason, "the machine does not have it");
	in.guest.samples[ABI_PHASE_EVENT] = 500; /* but no series */
	cr_assert_eq(boot_report_encode(&in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_expect_eq(out.outcome, BOOT_SKIP);
	cr_expect_str_eq(out.reason, in.reason);
	boot_report_free(&out);
	free(block);
}
