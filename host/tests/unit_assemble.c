/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the figures of boots: on several vCPUs, nested, and of guests that lie.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/measure/figures.h"
#include "host/result/result.h"
#include "host/targets/target.h"
#include "host/tests/scaled_fixture.h"

/* Samples of an untrusted guest: every phase has samples, one phase an impossible one. */
static enum result_status status_of(uint64_t sample, uint64_t faults, uint64_t step,
				    char reason[200])
{
	const struct bench *row = bench_table;
	const struct config *config = config_table;
	struct abi_params params = { .events = 2 };
	struct result *r = result_new();
	struct assembly a = {
		.result = r,
		.params = &params,
		.trust = JUDGE_NO_HYPERVISOR,
		.exact = true,
		.unit = "insns",
	};
	struct boot_report rep;
	enum result_status status;

	assemble_begin(&a, row, config);
	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_TWIN; phase++) {
		rep.guest.samples[phase] = 2;
		rep.series[phase] = calloc(2, sizeof(uint64_t));
	}
	rep.series[ABI_PHASE_EVENT][1] = sample;
	rep.guest.faults[ABI_PHASE_EVENT] = faults;
	rep.guest.clock_step = step;
	cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
	assemble_end(&a);
	status = r->benchmarks[0].status;
	/* Otherwise the document is not valid. */
	cr_expect_leq(r->clock.resolution, RESULT_RESOLUTION_MAX);
	snprintf(reason, 200, "%s",
		 r->benchmarks[0].reason ? r->benchmarks[0].reason : "");
	boot_report_free(&rep);
	result_free(r);
	return status;
}

/* Where KVM is in a guest: without the exits of the doorbells, and of a timer tick. */
Test(traps, are_those_of_the_events_without_those_of_the_empty_phase)
{
	static const struct {
		int64_t none, all;
		double traps;
	} rows[] = { { 31, 31 + 4 * 8, 8 }, { 31, 31 + 4 * 8 + 1, 8 }, { 31, 30, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct abi_params params = { .events = 4 };
		struct result *r = result_new();
		struct assembly a = { .result = r,
				      .params = &params,
				      .trust = JUDGE_NO_HYPERVISOR,
				      .exact = true,
				      .unit = "insns" };
		const struct result_metric *m;
		struct boot_report rep;

		assemble_begin(&a, bench_table, config_table);
		boot_report_init(&rep);
		rep.outcome = BOOT_DONE;
		rep.guest.clock_step = 1;
		for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_TWIN; phase++) {
			rep.guest.samples[phase] = 4;
			rep.series[phase] = calloc(4, sizeof(uint64_t));
		}
		rep.counts[ABI_PHASE_NULL].l0_exits = rows[i].none;
		rep.counts[ABI_PHASE_EVENT].l0_exits = rows[i].all;
		cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
		assemble_end(&a);
		m = result_find_metric(&r->benchmarks[0], "traps_per_op");
		cr_assert_not_null(m);
		cr_expect_eq(m->value, rows[i].traps);
		boot_report_free(&rep);
		result_free(r);
	}
}

/* A clock of 26 units a step, whose reads cost 52; the second event is off its grid. */
static double figure_of(const char *row, uint64_t *resolution)
{
	struct abi_params params = { .events = 3 };
	struct result *r = result_new();
	struct assembly a = { .result = r,
			      .params = &params,
			      .trust = JUDGE_NO_HYPERVISOR,
			      .unit = "ticks" };
	struct boot_report rep;
	double value;

	assemble_begin(&a, result_find_bench(row), config_table);
	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	rep.guest.clock_step = 26;
	for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_TWIN; phase++) {
		rep.guest.samples[phase] = 3;
		rep.series[phase] = calloc(3, sizeof(uint64_t));
		for (int i = 0; i < 3; i++)
			rep.series[phase][i] = phase == ABI_PHASE_EVENT ? 2600 + i : 52;
	}
	cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
	assemble_end(&a);
	value = result_find_metric(&r->benchmarks[0], "round_trip")->value;
	*resolution = r->clock.resolution;
	boot_report_free(&rep);
	result_free(r);
	return value;
}

Test(deadlines, have_no_read_of_the_clock_in_them_and_do_not_show_its_step)
{
	uint64_t resolution;

	cr_expect_eq(figure_of("timer_expiry", &resolution), 2601);
	cr_expect_eq(resolution, 26);
	cr_expect_eq(figure_of("cpuid", &resolution), 2601 - 52);
	cr_expect_eq(resolution, 1);
}

/* Adds a report as the only boot of a row, and frees it. */
static void add_report(struct result *r, const char *row, struct boot_scale scale,
		       struct boot_report *rep)
{
	struct abi_params params = { .events = 2 };
	struct assembly a = { .result = r,
			      .params = &params,
			      .trust = JUDGE_ALL,
			      .unit = "ticks",
			      .scale = scale };

	assemble_begin(&a, result_find_bench(row), config_table);
	cr_assert_eq(assemble_boot(&a, 0, rep), 0);
	assemble_end(&a);
	boot_report_free(rep);
}

/* A boot of `cpuid`, in which vCPU i exits `exits[i]` times. */
static void add_scaled(struct result *r, uint32_t n, const uint64_t *ticks,
		       const int64_t *exits, int64_t span_ns)
{
	struct boot_report rep;

	scaled_report(&rep, n, ticks);
	rep.lanes->span_ns = span_ns;
	for (uint32_t i = 0; i < n; i++)
		rep.lanes->lane[i].counts.exits = exits[i];
	add_report(r, "cpuid", (struct boot_scale){ .vcpus = n }, &rep);
}

static double scaled_value(const struct result *r, const char *config, const char *name)
{
	const struct result_benchmark *b = result_find(r, "cpuid", config);
	const struct result_metric *m = b ? result_find_metric(b, name) : NULL;

	return m ? m->value : NAN;
}

/* One vCPU makes 2 events in 1 us; two make 4 in 2 us, and the second one is slower. */
Test(scale, the_metrics_are_those_of_all_vcpus)
{
	struct result *r = result_new();
	const char *two = "default@vcpus=2";

	add_scaled(r, 1, (const uint64_t[]){ 100 }, (const int64_t[]){ 2 }, 1000);
	add_scaled(r, 2, (const uint64_t[]){ 200, 300 }, (const int64_t[]){ 2, 2 }, 2000);
	cr_expect_eq(scaled_value(r, "default@vcpus=1", "ops_per_s"), 2e6);
	cr_expect(isnan(scaled_value(r, "default@vcpus=1", "efficiency")));
	cr_expect_eq(scaled_value(r, two, "round_trip"), 250);
	cr_expect_eq(scaled_value(r, two, "round_trip_worst"), 300);
	cr_expect_eq(scaled_value(r, two, "ops_per_s"), 2e6);
	cr_expect_eq(scaled_value(r, two, "efficiency"), 50);
	cr_expect_eq(scaled_value(r, two, "overlap"), 100);
	cr_expect_eq(result_find(r, "cpuid", two)->exits.expected, 4);
	cr_expect_eq(result_find(r, "cpuid", two)->exits.observed, 4);
	cr_expect_eq(result_find(r, "cpuid", two)->vcpus, 2);
	result_free(r);
}

/* Two vCPUs; vCPU i has counted[i] events, by turns of ticks[i][0] and ticks[i][1]. */
static struct result *scaled_pair(bool exact, const uint64_t counted[2],
				  const uint64_t ticks[2][2])
{
	struct abi_params params = { .events = 48 };
	struct assembly a = { .result = result_new(),
			      .params = &params,
			      .trust = JUDGE_ALL,
			      .exact = exact,
			      .unit = "insns",
			      .scale = { .vcpus = 2 } };
	struct boot_report rep;
	uint64_t *event;

	a.result->target.exact = exact;
	assemble_begin(&a, result_find_bench("cpuid"), config_table);
	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	rep.lanes = calloc(1, sizeof(*rep.lanes));
	rep.lanes->n = 2;
	for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_TWIN; phase++) {
		rep.guest.samples[phase] = 2 * 48;
		rep.series[phase] = calloc(2 * 48, sizeof(uint64_t));
	}
	rep.guest.samples[ABI_PHASE_EVENT] = counted[0] + counted[1];
	event = rep.series[ABI_PHASE_EVENT];
	for (uint32_t i = 0; i < 2; i++) {
		for (uint64_t k = 0; k < counted[i]; k++)
			*event++ = ticks[i][k % 2];
		rep.lanes->lane[i] = (struct boot_lane){
			.events = 48,
			.counted = counted[i],
			.counts = { 48, 0, 0, true, 0, 0, -1 },
		};
	}
	cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
	assemble_end(&a);
	boot_report_free(&rep);
	return a.result;
}

static bool has_warning(const struct result *r, const char *code)
{
	for (size_t i = 0; i < r->n_warnings; i++)
		if (!strcmp(r->warnings[i].code, code))
			return true;
	return false;
}

/* vCPUs that differ: no figure between them, which no vCPU executed, but their range. */
Test(scale, an_exact_figure_is_one_of_a_vcpu)
{
	static const struct {
		uint64_t ticks[2][2];
		double value, lo, hi, worst;
		bool modes;
	} rows[] = {
		{ { { 5221, 5221 }, { 5221, 5221 } }, 5221, 5221, 5221, 5221, false },
		{ { { 5221, 5221 }, { 5367, 5367 } }, 5221, 5221, 5367, 5367, true },
		{ { { 5367, 5367 }, { 5221, 5221 } }, 5367, 5221, 5367, 5367, true },
		{ { { 500, 503 }, { 500, 503 } }, 500, 500, 500, 500, false },
	};
	const char *two = "default@vcpus=2";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result *r =
			scaled_pair(true, (const uint64_t[]){ 48, 48 }, rows[i].ticks);
		const struct result_metric *m =
			result_find_metric(result_find(r, "cpuid", two), "round_trip");

		cr_expect_eq(m->value, rows[i].value, "%zu: %f", i, m->value);
		cr_expect(m->ci.lo == rows[i].lo && m->ci.hi == rows[i].hi,
			  "%zu: %f to %f", i, m->ci.lo, m->ci.hi);
		cr_expect_eq(scaled_value(r, two, "round_trip_worst"), rows[i].worst);
		cr_expect_eq(has_warning(r, "multimodal"), rows[i].modes, "%zu", i);
		cr_expect(!has_warning(r, "boots-differ"));
		result_free(r);
	}
}

/* Two boots of an exact target, whose values differ. */
static bool differ(const char *unit)
{
	struct result *r = result_new();
	const struct estimate e = { .result = r, .exact = true, .repeats = true };
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m = result_add_metric(r, b);
	bool warned;

	b->name = "cpuid";
	b->config = "default";
	m->name = "figure";
	m->unit = unit;
	m->better = "higher"; /* the direction does not matter */
	m->ci.lo = m->ci.hi = NAN;
	m->n_boots = 2;
	m->boots = calloc(m->n_boots, sizeof(*m->boots));
	for (uint32_t i = 0; i < m->n_boots; i++)
		m->boots[i] = (struct result_boot){
			.index = i, .valid = true, .summary.n = 1, .summary.p50 = 100 + i
		};
	estimate_metric(&e, b, m);
	cr_expect_eq(m->value, 100, "%s: %f", unit, m->value);
	warned = has_warning(r, "boots-differ");
	if (warned)
		cr_expect_not_null(strstr(
			r->warnings[0].message,
			"cpuid, default: figure: boots of an exact target differ, 100 to 101 "));
	result_free(r);
	return warned;
}

/* Rates depend on where the phases of vCPUs end. */
Test(scale, exact_boots_may_differ_in_their_rates)
{
	cr_expect(differ("insns"));
	cr_expect(!differ("ops/Mtick"));
	cr_expect(!differ("ops/s"));
	cr_expect(!differ("%"));
}

/* Of one vCPU more events count: it does not weigh more. */
Test(scale, each_vcpu_has_the_same_weight)
{
	static const uint64_t counted[2] = { 48, 2 };
	static const uint64_t ticks[2][2] = { { 200, 200 }, { 300, 300 } };
	struct result *r = scaled_pair(false, counted, ticks);
	const struct result_metric *m = result_find_metric(
		result_find(r, "cpuid", "default@vcpus=2"), "round_trip");

	cr_expect_eq(m->value, 250);
	cr_expect_eq(m->boots[0].summary.mean, 250);
	cr_expect_eq(m->boots[0].summary.n, 4);
	result_free(r);
}

/* Two vCPUs that were never in the phase together: a boot of the document, rejected. */
Test(scale, a_boot_without_common_events_is_rejected)
{
	static const uint64_t counted[2] = { 0, 0 };
	static const uint64_t ticks[2][2] = { { 200, 200 }, { 300, 300 } };
	struct result *r = scaled_pair(false, counted, ticks);
	const struct result_benchmark *b = result_find(r, "cpuid", "default@vcpus=2");
	const struct result_metric *m = result_find_metric(b, "round_trip");

	cr_assert_not_null(m);
	cr_assert_eq(m->n_boots, 1);
	cr_expect_eq(m->boots[0].valid, false);
	cr_expect_eq(m->boots[0].summary.n, 0);
	cr_expect_eq(b->exits.observed, 96);
	cr_expect_eq(b->status, RESULT_FAIL);
	cr_expect_str_eq(b->reason,
			 "vCPU 0 of 2: made no event while all others were measuring");
	result_free(r);
}

/* The sum of the exits is right, but those of one vCPU are missing. */
Test(scale, each_vcpu_proves_the_row)
{
	struct result *r = result_new();
	const struct result_benchmark *b;

	add_scaled(r, 2, (const uint64_t[]){ 200, 300 }, (const int64_t[]){ 4, 0 }, 2000);
	b = result_find(r, "cpuid", "default@vcpus=2");
	cr_assert_not_null(b);
	cr_expect_eq(b->status, RESULT_FAIL);
	cr_expect_eq(strncmp(b->reason, "vCPU 0 of 2: ", 13), 0, "%s", b->reason);
	result_free(r);
}

/* One vCPU of a VM is the same machine as one VM of one vCPU. */
Test(scale, the_efficiency_compares_with_one_of_either_kind)
{
	const struct boot_scale one_vcpu = { .vcpus = 1 }, one_vm = { .vms = 1 };
	const struct boot_scale first[] = { one_vcpu, one_vcpu, one_vm };
	const struct boot_scale second[] = { one_vcpu, one_vm, one_vcpu };
	/* The second of them has half the rate of the first. */
	const double expected[] = { 50, 100, 50 };

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct result *r = result_new();
		struct boot_report rep;

		scaled_report(&rep, 1, (const uint64_t[]){ 100 });
		rep.lanes->span_ns = 1000;
		add_report(r, "cpuid", first[i], &rep);
		if (i) {
			scaled_report(&rep, 1, (const uint64_t[]){ 100 });
			rep.lanes->span_ns = 2000;
			add_report(r, "cpuid", second[i], &rep);
		}
		scaled_report(&rep, 2, (const uint64_t[]){ 200, 300 });
		rep.lanes->span_ns = 2000;
		add_report(r, "cpuid", (struct boot_scale){ .vms = 2 }, &rep);
		cr_expect_eq(scaled_value(r, "default@vms=2", "efficiency"), expected[i],
			     "case %zu", i);
		result_free(r);
	}
}

/* A nested row in two VMs, of two events each, whose L1 counts its exits. */
static const struct result_benchmark *nested(struct result *r, uint64_t l1_of_first,
					     uint64_t l1_of_second)
{
	struct boot_report rep;

	scaled_report(&rep, 2, (const uint64_t[]){ 200, 300 });
	rep.guest.l1_exits[ABI_PHASE_EVENT] = l1_of_first;
	rep.lanes->lane[0].l1_exits = l1_of_first;
	rep.lanes->lane[1].l1_exits = l1_of_second;
	for (uint32_t i = 0; i < 2; i++)
		rep.lanes->lane[i].counts.exits = 4;
	add_report(r, "nested_cpuid", (struct boot_scale){ .vms = 2 }, &rep);
	return result_find(r, "nested_cpuid", "default@vms=2");
}

/* A boot of `hypercall` with 2 events, on arm64: of its exits, `hvcs` were HVCs. */
static struct result_benchmark hypercalls(struct result *r, enum judge_trust trust,
					  int64_t hvcs)
{
	struct abi_params params = { .events = 2 };
	const struct bench *row = result_find_bench("hypercall");
	struct assembly a = { .result = r,
			      .params = &params,
			      .claim = bench_claim(row, ARCH_AARCH64),
			      .trust = trust,
			      .exact = true,
			      .unit = "insns" };
	struct boot_report rep;

	assemble_begin(&a, row, config_table);
	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	for (int i = ABI_PHASE_NULL; i <= ABI_PHASE_EVENT; i++) {
		rep.guest.samples[i] = 2;
		rep.series[i] = calloc(2, sizeof(uint64_t));
	}
	rep.counts[ABI_PHASE_EVENT].exits = 2;
	rep.counts[ABI_PHASE_EVENT].user = 0;
	rep.counts[ABI_PHASE_EVENT].statistic = hvcs;
	cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
	assemble_end(&a);
	boot_report_free(&rep);
	return r->benchmarks[0];
}

/* The document names the statistic, and has null where it was not checked. */
Test(statistic, is_in_the_document)
{
	static const struct {
		enum judge_trust trust;
		int64_t hvcs;
		enum result_status status;
		const char *name;
		int64_t expected, counted;
	} cases[] = {
		{ JUDGE_ALL, 2, RESULT_OK, "hvc_exit_stat", 2, 2 },
		{ JUDGE_ALL, 0, RESULT_FAIL, "hvc_exit_stat", 2, 0 },
		{ JUDGE_ALL, -1, RESULT_OK, "hvc_exit_stat", -1, -1 },
		{ JUDGE_USER_ONLY, 1, RESULT_OK, "hvc_exit_stat", -1, -1 },
		{ JUDGE_NO_HYPERVISOR, -1, RESULT_OK, NULL, -1, -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result *r = result_new();
		const struct result_benchmark b =
			hypercalls(r, cases[i].trust, cases[i].hvcs);
		const struct result_statistic *s = &b.exits.statistic;

		cr_expect_eq(b.status, cases[i].status, "%zu: %s", i, b.reason);
		cr_expect(!s->name == !cases[i].name, "%zu", i);
		cr_expect(!s->name || !strcmp(s->name, cases[i].name), "%zu", i);
		cr_expect_eq(s->expected, cases[i].expected, "%zu", i);
		cr_expect_eq(s->counted, cases[i].counted, "%zu", i);
		result_free(r);
	}
}

/* Of two vCPUs with two events each, the second one's exits were not all page faults. */
Test(scale, statistics_of_each_vcpu_prove_the_row)
{
	for (int64_t second = 1; second <= 2; second++) {
		const struct bench *row = result_find_bench("fault_first_touch_4k");
		struct abi_params params = { .events = 2 };
		struct result *r = result_new();
		struct assembly a = { .result = r,
				      .params = &params,
				      .claim = bench_claim(row, ARCH_X86_64),
				      .trust = JUDGE_ALL,
				      .unit = "ticks",
				      .scale = { .vcpus = 2 } };
		const struct result_benchmark *b;
		struct boot_report rep;

		scaled_report(&rep, 2, (const uint64_t[]){ 200, 300 });
		rep.lanes->lane[0].counts.exits = rep.lanes->lane[1].counts.exits = 2;
		rep.lanes->lane[0].counts.statistic = 2;
		rep.lanes->lane[1].counts.statistic = second;
		assemble_begin(&a, row, config_table);
		cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
		assemble_end(&a);
		b = &r->benchmarks[0];
		cr_expect_eq(b->status, second == 2 ? RESULT_OK : RESULT_FAIL, "%s",
			     b->reason);
		cr_expect_eq(b->exits.statistic.expected, 4);
		cr_expect_eq(b->exits.statistic.counted, 2 + second);
		if (second == 1)
			cr_expect_eq(strncmp(b->reason, "vCPU 1 of 2: ", 13), 0, "%s",
				     b->reason);
		boot_report_free(&rep);
		result_free(r);
	}
}

/* A row whose handler counts, in one VM: two events, and a batch of 3 * 2 bodies. */
static enum result_status delivered(enum abi_phase phase, uint64_t more, char reason[200])
{
	struct abi_params params = { .warmup = 5, .events = 2, .batch = 2, .batches = 1 };
	struct result *r = result_new();
	struct assembly a = { .result = r,
			      .params = &params,
			      .trust = JUDGE_ALL,
			      .exact = true,
			      .unit = "insns" };
	struct boot_report rep;
	enum result_status status;

	assemble_begin(&a, result_find_bench("self_ipi"), config_table);
	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	rep.guest.clock_step = 1;
	for (int i = ABI_PHASE_NULL; i <= ABI_PHASE_BATCH_NULL; i++) {
		rep.guest.samples[i] = i < ABI_PHASE_BATCH ? 2 : 1;
		rep.series[i] = calloc(2, sizeof(uint64_t));
	}
	rep.counts[ABI_PHASE_EVENT] = (struct boot_counts){ 6, 0, 0, true, 0, 0, -1, -1 };
	rep.guest.deliveries[ABI_PHASE_WARMUP] = 5;
	rep.guest.deliveries[ABI_PHASE_EVENT] = 2;
	rep.guest.deliveries[ABI_PHASE_BATCH] = 6;
	rep.guest.deliveries[phase] += more;
	cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
	assemble_end(&a);
	status = r->benchmarks[0].status;
	snprintf(reason, 200, "%s",
		 r->benchmarks[0].reason ? r->benchmarks[0].reason : "");
	boot_report_free(&rep);
	result_free(r);
	return status;
}

Test(deliveries, are_one_per_body_of_each_phase)
{
	char reason[200], phase[32];

	cr_expect_eq(delivered(ABI_PHASE_EVENT, 0, reason), RESULT_OK, "%s", reason);
	for (int i = ABI_PHASE_WARMUP; i <= ABI_PHASE_PMC_NULL; i++) {
		snprintf(phase, sizeof(phase), "the %s phase",
			 boot_phase_name((uint32_t)i));
		for (int by = -1; by <= 1; by += 2) {
			cr_expect_eq(delivered((enum abi_phase)i, (uint64_t)by, reason),
				     RESULT_FAIL, "%s", phase);
			cr_expect_not_null(strstr(reason, phase), "%s", reason);
		}
	}
}

/* Of two VMs with two events each, the second VM's handler counted one. */
Test(scale, interrupts_of_each_vm_prove_the_row)
{
	for (uint64_t second = 1; second <= 2; second++) {
		struct result *r = result_new();
		const struct result_benchmark *b;
		struct boot_report rep;

		scaled_report(&rep, 2, (const uint64_t[]){ 200, 300 });
		rep.lanes->lane[0].deliveries = 2;
		rep.lanes->lane[1].deliveries = second;
		for (uint32_t i = 0; i < 2; i++)
			rep.lanes->lane[i].counts.exits = 6;
		add_report(r, "self_ipi", (struct boot_scale){ .vms = 2 }, &rep);
		b = result_find(r, "self_ipi", "default@vms=2");
		cr_assert_not_null(b);
		cr_expect_eq(b->status, second == 2 ? RESULT_OK : RESULT_FAIL, "%s",
			     b->reason);
		if (second == 1)
			cr_expect_eq(strncmp(b->reason, "VM 1 of 2: ", 11), 0, "%s",
				     b->reason);
		result_free(r);
	}
}

Test(scale, exits_to_l1_are_those_of_all_vms)
{
	struct result *r = result_new();
	const struct result_benchmark *b = nested(r, 2, 2);

	cr_assert_not_null(b);
	cr_expect_eq(b->status, RESULT_OK, "%s", b->reason);
	cr_expect_eq(b->exits.l1, 4);
	result_free(r);
}

/* The first VM proves the row, the second does not. */
Test(scale, exits_to_l1_of_each_vm_prove_the_row)
{
	static const uint64_t lies[] = { 0, 1, 3, UINT64_MAX };

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct result *r = result_new();
		const struct result_benchmark *b = nested(r, 2, lies[i]);

		cr_assert_not_null(b);
		cr_expect_eq(b->status, RESULT_FAIL);
		cr_expect_eq(strncmp(b->reason, "VM 1 of 2: ", 11), 0, "%s", b->reason);
		cr_expect_not_null(strstr(b->reason, "L1"), "%s", b->reason);
		result_free(r);
	}
}

/* The guest of the second VM compares the causes. */
Test(scale, an_exit_to_l1_with_another_cause_fails_the_row)
{
	struct result *r = result_new();
	const struct result_benchmark *b = nested(r, 2, ABI_L1_EXITS_DIFFER);

	cr_assert_not_null(b);
	cr_expect_eq(b->status, RESULT_FAIL);
	cr_expect_str_eq(
		b->reason,
		"VM 1 of 2: an exit of L2 to L1 in the event phase has another cause than the first one");
	result_free(r);
}

Test(scale, exceptions_are_those_of_all_vcpus)
{
	struct result *r = result_new();
	struct boot_report rep;
	const struct result_benchmark *b;

	scaled_report(&rep, 2, (const uint64_t[]){ 200, 300 });
	rep.lanes->lane[1].faults = 2;
	add_report(r, "cpuid", (struct boot_scale){ .vcpus = 2 }, &rep);
	b = result_find(r, "cpuid", "default@vcpus=2");
	cr_assert_not_null(b);
	cr_expect_eq(b->exits.faults, 2);
	result_free(r);
}

/* The value that two batches in a row had, whatever came before them. */
Test(batches, a_tick_in_the_first_ones_is_not_the_figure)
{
	static const uint64_t batches[] = { 9020, 7020, 5020, 5020 };
	struct abi_params params = { .events = 2, .batch = 5, .batches = 5, .repeat = 1 };
	struct result *r = result_new();
	struct assembly a = {
		.result = r,
		.params = &params,
		.trust = JUDGE_NO_HYPERVISOR,
		.exact = true,
		.unit = "insns",
	};
	struct boot_report rep;
	const struct result_metric *m;

	assemble_begin(&a, bench_table, config_table);
	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	for (int phase = ABI_PHASE_NULL; phase <= ABI_PHASE_BATCH_NULL; phase++) {
		rep.guest.samples[phase] = phase < ABI_PHASE_BATCH ? 2 : 4;
		rep.series[phase] = calloc(4, sizeof(uint64_t));
	}
	for (int i = 0; i < 4; i++) {
		rep.series[ABI_PHASE_BATCH][i] = batches[i];
		rep.series[ABI_PHASE_BATCH_NULL][i] = 20;
	}
	cr_assert_eq(assemble_boot(&a, 0, &rep), 0);
	assemble_end(&a);
	m = result_find_metric(&r->benchmarks[0], "round_trip_batch");
	cr_assert_not_null(m);
	cr_expect_eq(m->value, 1000, "%f", m->value);
	boot_report_free(&rep);
	result_free(r);
}

/* No sample value causes an arithmetic overflow (checked by UBSan). */
Test(lies, impossible_samples_fail_the_row)
{
	static const uint64_t lies[] = { UINT64_MAX / 2, 1ull << 63, (1ull << 52) + 1 };
	char reason[200];

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		cr_expect_eq(status_of(lies[i], 0, 1, reason), RESULT_FAIL);
		cr_expect_not_null(strstr(reason, "impossible sample"), "%s", reason);
		cr_expect_not_null(strstr(reason, "number 1 of the event phase"), "%s",
				   reason);
	}
	cr_expect_eq(status_of(5, 1ull << 40, 1, reason), RESULT_FAIL);
	cr_expect_not_null(strstr(reason, "number of exceptions"), "%s", reason);
	cr_expect_eq(status_of(5, 0, RESULT_RESOLUTION_MAX + 1, reason), RESULT_FAIL);
	cr_expect_not_null(strstr(reason, "step of the clock"), "%s", reason);
	cr_expect_eq(status_of(5, 0, 1, reason), RESULT_OK, "%s", reason);
	/* The samples have a common divisor that cannot be the step of a clock. */
	cr_expect_eq(status_of(1ull << 52, 0, 0, reason), RESULT_OK, "%s", reason);
}
