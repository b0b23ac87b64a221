/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of verdicts on a coarse clock: its steps are the band, not 1 %. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/compare/compare.h"
#include "host/compare/compare_rules.h"
#include "host/lib/error.h"
#include "host/tests/compare_fixture.h"

#define BOOTS 10

/* A run on a CNTVCT of 25 MHz. */
static struct result *arm64(void)
{
	struct result *r = fixture_document("kvm", false);

	r->clock.hz = 25000000;
	return r;
}

/* Adds a metric of 10 boots within 0.2 % of `middle`, in a fixed order. */
static struct result_metric *metric(struct result *r, struct result_benchmark *b,
				    const char *name, double middle)
{
	double boots[BOOTS];
	struct result_metric *m;

	for (int i = 0; i < BOOTS; i++)
		boots[i] = middle * (1 + 0.002 * ((i * 7 + 3) % BOOTS - 4.5) / 4.5);
	m = fixture_boots(r, b, boots, BOOTS);
	m->name = name;
	return m;
}

/* A run of a row that takes `ticks`, of which an event shows whole ticks. */
static struct result *run_of(const char *bench, double ticks, bool batch)
{
	struct result *r = arm64();
	struct result_benchmark *b = fixture_row(r, bench, "default");
	double whole[BOOTS];

	for (int i = 0; i < BOOTS; i++)
		whole[i] = floor(ticks);
	fixture_boots(r, b, whole, BOOTS);
	if (batch)
		metric(r, b, RESULT_BATCH, ticks);
	return r;
}

/* Compares `name` of two runs. Returns the row; its strings are static. */
static struct compare_row compare(struct result *base, struct result *new,
				  const char *name)
{
	const struct compare_options o = { .metrics = &name, .n_metrics = 1 };
	struct compare_row row;
	struct compare c;
	struct error err;

	cr_assert_eq(compare_documents(base, new, &o, &c, &err), 0, "%s", err.text);
	cr_assert_eq(c.n_rows, 1);
	row = c.rows[0];
	if (row.by_clock)
		cr_expect_eq(compare_outcome(&c), COMPARE_INCONCLUSIVE);
	for (size_t i = 0; i < c.n_notes; i++)
		if (row.by_clock)
			cr_expect_null(strstr(c.notes[i], "find smaller differences"),
				       "%s", c.notes[i]);
	compare_free(&c);
	result_free(base);
	result_free(new);
	return row;
}

#define expect_verdict(row, want)                                                        \
	cr_expect_eq((row).verdict, want, "%s, not %s: %g to %g, band %g, p %g: %s",     \
		     compare_verdict_name((row).verdict), compare_verdict_name(want),    \
		     (row).lo, (row).hi, (row).band, (row).p_holm, (row).reason)

/* A hypercall of 416 ns that takes 487 ns: two ticks of 40 ns. */
Test(clock, does_not_hide_a_sixth)
{
	struct compare_row row = compare(run_of("hypercall", 10.4, true),
					 run_of("hypercall", 12.17, true), "round_trip");

	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.by_clock && row.step == 1 && row.band == 2);
	cr_expect(isnan(row.boots_needed) && isnan(row.runs_needed));
	cr_expect_str_eq(
		row.reason,
		"the difference is within 2 steps of the clock (a step is 1 tick, 40 ns): more boots would not help; --metric round_trip_batch resolves more");
	/* One step, and in the other direction. */
	row = compare(run_of("hypercall", 10.4, false), run_of("hypercall", 9.4, false),
		      "round_trip");
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.by_clock && !strstr(row.reason, "batch"), "%s", row.reason);
	/* Three steps. */
	row = compare(run_of("hypercall", 10.4, true), run_of("hypercall", 13.4, true),
		      "round_trip");
	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect(!row.by_clock);
}

/* The step of a mean of 50 bodies is a fiftieth; of five, in the vPMU map, a fifth. */
Test(clock, of_a_batch)
{
	struct compare_row row = compare(run_of("hypercall", 10.4, true),
					 run_of("hypercall", 12.17, true), RESULT_BATCH);

	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect_float_eq(row.step, 0.02, 1e-12);
	cr_expect_float_eq(row.band, 0.01 * row.base.value, 1e-12);
	cr_expect(row.ratio_lo > 1.16 && row.ratio_hi < 1.18);
	row = compare(run_of("hypercall", 10.4, true), run_of("hypercall", 10.41, true),
		      RESULT_BATCH);
	expect_verdict(row, COMPARE_SAME);
	row = compare(run_of("pmu_pmccntr_write", 10.4, true),
		      run_of("pmu_pmccntr_write", 10.7, true), RESULT_BATCH);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect_float_eq(row.step, 0.2, 1e-12);
	cr_expect_float_eq(row.band, 0.4, 1e-12);
	cr_expect_not_null(strstr(row.reason, "(a step is 0.2 ticks, 8 ns)"), "%s",
			   row.reason);
	row = compare(run_of("pmu_pmccntr_write", 10.4, true),
		      run_of("pmu_pmccntr_write", 10.9, true), RESULT_BATCH);
	expect_verdict(row, COMPARE_WORSE_MAYBE);
	/* Of a clock that advances in steps of 40 ticks. */
	{
		struct result *base = run_of("hypercall", 400, true);
		struct result *new = run_of("hypercall", 420, true);

		base->clock.resolution = 40;
		new->clock.resolution = 1;
		row = compare(base, new, RESULT_BATCH);
		expect_verdict(row, COMPARE_WORSE_MAYBE);
		cr_expect_float_eq(row.step, 0.8, 1e-12);
	}
}

/* No difference, one within 1 %, and one that may be none, are the same. */
Test(clock, same_stays_the_same)
{
	struct compare_row row = compare(run_of("hypercall", 10.4, true),
					 run_of("hypercall", 10.4, true), "round_trip");
	const double base[] = { 10, 10, 10, 11, 10, 10, 11, 10, 10, 10 };
	const double new[] = { 10, 11, 10, 10, 11, 10, 10, 11, 10, 10 };
	struct result *a = arm64(), *b = arm64();

	expect_verdict(row, COMPARE_SAME);
	fixture_boots(a, fixture_row(a, "hypercall", "default"), base, BOOTS);
	fixture_boots(b, fixture_row(b, "hypercall", "default"), new, BOOTS);
	expect_verdict(compare(a, b, "round_trip"), COMPARE_SAME);
	/* Significant and within 1 %: the band of 2 ticks, 1.3 %, does not decide. */
	row = compare(run_of("hypercall", 150.5, false),
		      run_of("hypercall", 151.5, false), "round_trip");
	expect_verdict(row, COMPARE_SAME);
	cr_expect(row.lo > 0 && row.p_holm <= COMPARE_ALPHA && row.band == 2);
	/* Too few boots to be significant. */
	a = arm64();
	b = arm64();
	fixture_boots(a, fixture_row(a, "hypercall", "default"),
		      (const double[]){ 10, 10, 10, 10 }, 4);
	fixture_boots(b, fixture_row(b, "hypercall", "default"),
		      (const double[]){ 11, 11, 11, 11 }, 4);
	row = compare(a, b, "round_trip");
	expect_verdict(row, COMPARE_SAME);
	cr_expect(row.p_holm > COMPARE_ALPHA);
}

/* An interval that begins in the band of the clock and ends beyond it. */
Test(clock, about_as_large_as_the_band)
{
	struct result *a = arm64(), *b = arm64();
	const double base[] = { 10, 10, 10, 10, 10, 10, 10, 10, 10, 10 };
	const double new[] = { 12, 12.5, 12, 12, 12.5, 12, 12.5, 12, 12.5, 12.5 };
	struct compare_row row;

	fixture_boots(a, fixture_row(a, "hypercall", "default"), base, BOOTS);
	fixture_boots(b, fixture_row(b, "hypercall", "default"), new, BOOTS);
	row = compare(a, b, "round_trip");
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.hi > row.band && row.lo > 0 && row.lo <= row.band);
	cr_expect(row.by_clock && isnan(row.boots_needed), "%s", row.reason);
	cr_expect_not_null(strstr(row.reason, "about as large as 2 steps of the clock"),
			   "%s", row.reason);
}

/*
 * A run of a row on a clock with steps of 40 ticks. Half of the boots have `value`, and
 * the others `value` + `spread`. Boots have 200 events.
 */
static struct result *untimed(const char *name, const char *unit, double value,
			      double spread)
{
	static const double ticks[BOOTS] = { 4000, 4000, 4000, 4000, 4000,
					     4000, 4000, 4000, 4000, 4000 };
	struct result *r = arm64();
	struct result_benchmark *b = fixture_row(r, "halt", "default");
	struct result_metric *m = fixture_boots(r, b, ticks, BOOTS);
	double boots[BOOTS];

	for (int i = 0; i < BOOTS; i++) {
		m->boots[i].summary.n = 200;
		boots[i] = value + spread * (i % 2);
	}
	m = fixture_boots(r, b, boots, BOOTS);
	m->name = name;
	m->unit = unit;
	r->clock.resolution = 40;
	return r;
}

/* Counts are whole, and the clock does not time them. */
Test(clock, of_counts)
{
	struct compare_row row = compare(untimed("error", "counts", 10, 0),
					 untimed("error", "counts", 11, 0), "error");

	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.step == 1 && row.by_clock);
	cr_expect_not_null(strstr(row.reason, "2 steps (a step is 1 count):"), "%s",
			   row.reason);
	expect_verdict(compare(untimed("error", "counts", 0, 0),
			       untimed("error", "counts", 0, 1), "error"),
		       COMPARE_SAME);
	row = compare(untimed("error", "counts", 10, 0),
		      untimed("error", "counts", 13, 0), "error");
	expect_verdict(row, COMPARE_WORSE_MAYBE);
}

/* Switches of an event are a mean of 200 events: their step is a two hundredth. */
Test(clock, of_means_of_counts)
{
	struct compare_row row = compare(untimed("waits", "switches", 1, 0),
					 untimed("waits", "switches", 2.9, 0), "waits");

	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect_float_eq(row.step, 0.005, 1e-12);
	/* One switch in a boot, of which there was none. */
	row = compare(untimed("waits", "switches", 0, 0),
		      untimed("waits", "switches", 0.005, 0), "waits");
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect_not_null(strstr(row.reason, "2 steps (a step is 0.005 switches):"),
			   "%s", row.reason);
	expect_verdict(compare(untimed("waits", "switches", 0, 0),
			       untimed("waits", "switches", 0, 0.005), "waits"),
		       COMPARE_SAME);
}

/* Shares have no step, and no note names one. */
Test(clock, of_shares)
{
	struct compare_row row = compare(untimed("blocked", "%", 0.1, 0.001),
					 untimed("blocked", "%", 0.9, 0.001), "blocked");

	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect_eq(row.step, 0);
	expect_verdict(compare(untimed("blocked", "%", 0, 0),
			       untimed("blocked", "%", 0, 0), "blocked"),
		       COMPARE_SAME);
	row = compare(untimed("blocked", "%", 1, 0.5), untimed("blocked", "%", 1.2, 0.5),
		      "blocked");
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(!row.by_clock && !strstr(row.reason, "step"), "%s", row.reason);
}

/* A share of which BASE has nothing: a thousandth of the whole does not matter. */
Test(clock, of_shares_of_nothing)
{
	static const struct {
		double value, spread;
		enum compare_verdict verdict;
	} cases[] = {
		{ 0, 0.01, COMPARE_SAME },	   { -0.05, 0.1, COMPARE_SAME },
		{ 0.05, 0, COMPARE_SAME },	   { 0.1, 0, COMPARE_SAME },
		{ -0.5, 1, COMPARE_INCONCLUSIVE }, { 0.2, 0.01, COMPARE_WORSE_MAYBE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct compare_row row =
			compare(untimed("blocked", "%", 0, 0),
				untimed("blocked", "%", cases[i].value, cases[i].spread),
				"blocked");

		expect_verdict(row, cases[i].verdict);
		cr_expect_eq(row.band, 0.1);
		cr_expect(!row.by_clock && !strstr(row.reason, "step"), "%s", row.reason);
	}
}

/* Nothing in most boots of BASE, of a rate: every difference is outside the band. */
Test(clock, of_rates_of_nothing)
{
	struct compare_row row =
		compare(untimed("ops_per_s", "ops/s", 0, 0),
			untimed("ops_per_s", "ops/s", -0.1, 0.2), "ops_per_s");

	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.band == 0 && !row.by_clock && isnan(row.boots_needed));
	cr_expect_null(strstr(row.reason, "step"), "%s", row.reason);
	cr_expect_not_null(strstr(row.reason, "BASE is 0: noise hides changes below 0."),
			   "%s", row.reason);
}

/* Several runs a side: the floor of the noise and the band are those of a batch. */
Test(clock, of_several_runs)
{
	const char *const names[] = { "round_trip", RESULT_BATCH };
	const struct compare_options o = { .metrics = names, .n_metrics = 2 };
	static const char *const started[] = {
		"2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z", "2026-01-01T04:00:00Z",
		"2026-01-01T01:00:00Z", "2026-01-01T03:00:00Z", "2026-01-01T05:00:00Z"
	};
	struct result *docs[6];
	struct compare c;
	struct error err;

	for (int i = 0; i < 6; i++) {
		docs[i] = run_of("hypercall", (i < 3 ? 10.4 : 12.17) + 0.01 * (i % 3),
				 true);
		docs[i]->run.started = started[i];
		docs[i]->run.id = result_format(docs[i], "%d", i);
	}
	cr_assert_eq(compare_sides((const struct result *const *)docs, 3,
				   (const struct result *const *)docs + 3, 3, &o, &c,
				   &err),
		     0, "%s", err.text);
	cr_assert_eq(c.n_rows, 2);
	expect_verdict(c.rows[0], COMPARE_INCONCLUSIVE);
	cr_expect(c.rows[0].by_clock && isnan(c.rows[0].runs_needed));
	cr_expect_not_null(strstr(c.rows[0].reason, "more runs would not help"), "%s",
			   c.rows[0].reason);
	expect_verdict(c.rows[1], COMPARE_WORSE);
	compare_free(&c);
	for (int i = 0; i < 6; i++)
		result_free(docs[i]);
}

/* Shares that are equal in all runs of both sides: no variance, and no floor. */
Test(clock, of_several_runs_of_shares)
{
	const char *const name = "blocked";
	const struct compare_options o = { .metrics = &name, .n_metrics = 1 };

	for (int more = 0; more < 2; more++) {
		struct result *docs[6];
		struct compare c;
		struct error err;

		for (int i = 0; i < 6; i++) {
			docs[i] = untimed(name, "%", i < 3 ? 0 : 0.5 * more, 0);
			docs[i]->run.id = result_format(docs[i], "%d", i);
		}
		cr_assert_eq(compare_sides((const struct result *const *)docs, 3,
					   (const struct result *const *)docs + 3, 3, &o,
					   &c, &err),
			     0, "%s", err.text);
		cr_assert_eq(c.n_rows, 1);
		expect_verdict(c.rows[0], more ? COMPARE_WORSE : COMPARE_SAME);
		cr_expect_eq(c.rows[0].p, more ? 0 : 1);
		compare_free(&c);
		for (int i = 0; i < 6; i++)
			result_free(docs[i]);
	}
}
