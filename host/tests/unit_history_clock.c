/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of a history on a coarse clock: what its steps hide is not "no change". */
#include <criterion/criterion.h>

#include "host/tests/compare_fixture.h"
#include "host/tests/history_fixture.h"

TestSuite(clock, .init = begin, .fini = end);

/* Adds runs `from` to `to` of a row on kvm. The figures vary by `spread`. */
static void runs(const char *metric, int from, int to, double value, double spread)
{
	static const double noise[] = { 0, 1, -1, 0.25, -0.5, 0.75, 0, -0.25 };
	char run[16];

	next.exact = false;
	next.target = "kvm";
	next.unit = "ticks";
	next.benchmark = "hypercall";
	next.metric = metric;
	for (int i = from; i < to; i++) {
		snprintf(run, sizeof(run), "r%d", i);
		next.lo = next.hi = 0;
		put(run, value + spread * noise[i % 8]);
	}
}

static enum history_outcome outcome_of(const struct history *h,
				       const struct history_query *q,
				       struct history_tally *t)
{
	size_t n;
	struct history_alarm *alarms = history_alarms(q, h, &n);
	enum history_outcome out;

	*t = history_tally(q, h, alarms, n);
	out = history_outcome(alarms, n, t);
	free(alarms);
	return out;
}

/* 10 ticks, then 11: a change of 10 % of which the clock shows one step. */
Test(clock, hides_no_change)
{
	struct history_query q = { .last = 0 };
	struct history_hidden *hidden;
	struct history_tally t;
	struct threshold allowed;
	struct history h;
	struct error err;
	size_t n;

	runs("round_trip", 0, 30, 10, 0);
	runs("round_trip", 30, 50, 11, 0);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 0);
	cr_assert_eq(h.series[0].n_hidden, 1);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_UNSURE);
	cr_expect(t.hidden == 1 && t.hidden_worse == 1 && t.worse == 0);
	hidden = history_hidden(&q, &h, &n);
	cr_assert_eq(n, 1);
	cr_expect(hidden->worse && !hidden->has_batch && hidden->change->index == 30);
	cr_expect(hidden->change->before == 10 && hidden->change->after == 11);
	free(hidden);
	/* Found without the newest run, too: the gate has reported it. */
	q.last = 1;
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_PASS);
	q.last = 25;
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_UNSURE);
	q.last = 0;
	cr_assert_eq(threshold_parse(&allowed, "2ticks", &err), 0);
	q.thresholds = &allowed;
	q.n_thresholds = 1;
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_PASS);
	cr_expect(t.hidden == 1 && t.hidden_worse == 0);
	history_free(&h);
}

/*
 * Fresh boots: what is within two steps of the clock, of the history or of the fresh run,
 * confirms nothing, and is not refuted if it is significant.
 */
Test(clock, fresh_boots_within_two_steps)
{
	static const struct {
		double fresh, step;
		enum history_confirmed confirmed;
	} cases[] = {
		{ 13, 1, HISTORY_CONFIRMED },	   { 12, 1, HISTORY_CONFIRMED },
		{ 11.9, 1, HISTORY_UNDECIDED },	   { 11, 1, HISTORY_REFUTED },
		{ 10, 1, HISTORY_REFUTED },	   { 9, 1, HISTORY_REFUTED },
		{ 13, 2, HISTORY_UNDECIDED },	   { 14, 2, HISTORY_CONFIRMED },
		{ 11.9, 0.02, HISTORY_UNDECIDED }, { 12, 0.02, HISTORY_CONFIRMED },
	};
	const struct history_query q = { .last = 0 };
	struct history_alarm *alarms;
	struct history h;
	size_t n;

	runs("round_trip", 0, 30, 10, 0);
	runs("round_trip", 30, 50, 13, 0);
	read_all(&h);
	alarms = history_alarms(&q, &h, &n);
	cr_assert_eq(n, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(history_confirm_noise(&alarms[0], cases[i].fresh,
						   cases[i].step, &rules),
			     cases[i].confirmed, "%g, step %g", cases[i].fresh,
			     cases[i].step);
	free(alarms);
	history_free(&h);
}

/* A fine clock: what the noise hides is refuted, not undecided. */
Test(clock, fresh_boots_in_noise)
{
	const struct history_query q = { .last = 0 };
	struct history_alarm *alarms;
	struct history h;
	size_t n;

	runs("round_trip", 0, 30, 1000, 20);
	runs("round_trip", 30, 60, 1200, 20);
	read_all(&h);
	alarms = history_alarms(&q, &h, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(history_confirm_noise(&alarms[0], 1020, 1, &rules), HISTORY_REFUTED);
	cr_expect_eq(history_confirm_noise(&alarms[0], 1200, 1, &rules),
		     HISTORY_CONFIRMED);
	free(alarms);
	history_free(&h);
}

/* A figure that became better, and steps that are large enough to be changes. */
Test(clock, directions_and_sizes)
{
	struct history_query q = { .last = 0 };
	struct history_tally t;
	struct history h;

	runs("round_trip", 0, 30, 11, 0);
	runs("round_trip", 30, 50, 10, 0);
	read_all(&h);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_PASS);
	cr_expect(t.hidden == 1 && t.hidden_worse == 0);
	history_free(&h);
	cr_assert_eq(truncate(path, 0), 0);
	runs("round_trip", 0, 30, 10, 0);
	runs("round_trip", 30, 50, 13, 0);
	runs("round_trip", 50, 70, 14, 0);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 1);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_REGRESSION);
	cr_expect(t.worse == 1 && t.hidden_worse == 1);
	history_free(&h);
}

/* Figures that only vary, and small steps that a fine clock shows, hide nothing. */
Test(clock, without_a_change_nothing_is_hidden)
{
	struct history_query q = { .last = 0 };
	struct history_tally t;
	struct history h;

	runs("round_trip", 0, 60, 10.5, 0.5);
	read_all(&h);
	cr_expect_eq(h.series[0].n_hidden, 0);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_PASS);
	history_free(&h);
	cr_assert_eq(truncate(path, 0), 0);
	/* 0.5 % of 1,000 ticks. */
	runs("round_trip", 0, 30, 1000, 0.5);
	runs("round_trip", 30, 60, 1005, 0.5);
	read_all(&h);
	cr_expect_eq(h.series[0].n_hidden, 0);
	cr_expect_eq(h.series[0].n_changes, 0);
	history_free(&h);
	cr_assert_eq(truncate(path, 0), 0);
	/* The newest run alone. */
	runs("round_trip", 0, 30, 10, 0);
	runs("round_trip", 30, 31, 11, 0);
	read_all(&h);
	cr_expect_eq(h.series[0].n_hidden, 0);
	history_free(&h);
}

/* The stored quantum is the clock's step; that of a mean of 50 bodies is a fiftieth. */
Test(clock, of_a_batch)
{
	struct history_query q = { .last = 0 };
	struct history_hidden *hidden;
	struct history_tally t;
	struct history h;
	size_t n;

	runs("round_trip", 0, 30, 10, 0);
	runs("round_trip", 30, 50, 11, 0);
	runs("round_trip_batch", 0, 30, 10.4, 0.02);
	runs("round_trip_batch", 30, 50, 11.1, 0.02);
	read_all(&h);
	cr_assert_eq(h.n_series, 2);
	cr_expect_eq(h.series[0].quantum, 1);
	cr_expect_eq(h.series[0].points[0].quantum, 1);
	cr_expect_float_eq(h.series[1].quantum, 0.02, 1e-12);
	cr_expect_eq(h.series[1].n_changes, 1);
	cr_expect_eq(h.series[1].n_hidden, 0);
	hidden = history_hidden(&q, &h, &n);
	cr_assert_eq(n, 1);
	cr_expect(hidden->has_batch);
	free(hidden);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_REGRESSION);
	q.metrics = "round_trip_batch";
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_REGRESSION);
	cr_expect_eq(t.hidden, 0);
	history_free(&h);
}

/* Figures of an exact target are counted one by one. */
Test(clock, not_of_an_exact_target)
{
	struct history h;

	next.metric = "round_trip_batch";
	for (int i = 0; i < 4; i++)
		put((const char *[]){ "a", "b", "c", "d" }[i], i < 2 ? 10 : 10.125);
	read_all(&h);
	cr_expect_eq(h.series[0].quantum, 1);
	cr_expect_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].n_hidden, 0);
	history_free(&h);
}

/* A series whose clock became coarser, with a change that it does not show. */
Test(clock, that_became_coarser)
{
	struct history h;

	runs("round_trip", 0, 42, 1000, 4);
	runs("round_trip", 42, 62, 1030, 4);
	next.quantum = 12;
	runs("round_trip", 62, 120, 1015, 4);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 0);
	/* 30 ticks, of which 19 are left with the runs of the coarser clock. */
	cr_assert_eq(h.series[0].n_hidden, 1);
	cr_expect_eq(h.series[0].hidden[0].index, 42);
	cr_expect(h.series[0].hidden[0].after < 1000 + 2 * 12);
	history_free(&h);
}

/* A change that a fine clock shows is one, although most runs have a coarse clock. */
Test(clock, that_became_coarser_after_a_change)
{
	struct history_query q = { .last = 0 };
	struct history_tally t;
	struct history h;

	runs("round_trip", 0, 20, 500, 1);
	runs("round_trip", 20, 50, 515, 1);
	next.quantum = 12;
	runs("round_trip", 50, 66, 515, 1);
	read_all(&h);
	cr_expect_eq(h.series[0].quantum, 1);
	cr_expect_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].n_hidden, 0);
	history_free(&h);
	next.quantum = 12;
	runs("round_trip", 66, 130, 560, 1);
	read_all(&h);
	cr_expect_eq(h.series[0].quantum, 12);
	cr_assert_eq(h.series[0].n_changes, 2);
	cr_expect_eq(h.series[0].changes[0].index, 20);
	cr_expect_eq(h.series[0].changes[1].index, 66);
	cr_expect_eq(h.series[0].n_hidden, 0);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_REGRESSION);
	history_free(&h);
}

/* One run with a coarse clock does not hide what the others show, nor is it hidden. */
Test(clock, of_a_single_coarse_run)
{
	struct history_query q = { .last = 0 };
	struct history_tally t;
	struct history h;

	runs("round_trip", 0, 30, 500, 1);
	next.quantum = 40;
	runs("round_trip", 30, 31, 520, 0);
	next.quantum = 1;
	runs("round_trip", 31, 60, 500, 1);
	read_all(&h);
	cr_expect(!h.series[0].n_changes && !h.series[0].n_hidden);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_PASS);
	history_free(&h);
	runs("round_trip", 60, 90, 515, 1);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].n_hidden, 0);
	history_free(&h);
}

/* A few runs show three steps, of which 1.6 are left: listed is what is left. */
Test(clock, hidden_changes_are_within_two_steps)
{
	struct history_query q = { .last = 0 };
	struct history_tally t;
	struct history h;

	runs("round_trip", 0, 30, 10, 0.01);
	runs("round_trip", 30, 38, 13, 0.01);
	runs("round_trip", 38, 80, 11.4, 0.01);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 0);
	cr_assert_eq(h.series[0].n_hidden, 1);
	cr_expect_eq(h.series[0].hidden[0].index, 30);
	cr_expect_float_eq(h.series[0].hidden[0].after, (8 * 13 + 42 * 11.4) / 50, 0.01);
	cr_expect_eq(outcome_of(&h, &q, &t), HISTORY_UNSURE);
	history_free(&h);
}

/* Shares have no step, although the rows name that of the clock. */
Test(clock, of_shares)
{
	struct history h;

	runs("blocked", 0, 0, 0, 0);
	next.unit = "%";
	for (int i = 0; i < 40; i++) {
		char run[16];

		snprintf(run, sizeof(run), "r%d", i);
		next.lo = next.hi = 0;
		put(run, (i < 20 ? 0.1 : 0.9) + 0.001 * (i % 3));
	}
	read_all(&h);
	cr_expect_eq(h.series[0].quantum, 0);
	cr_expect_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].n_hidden, 0);
	history_free(&h);
}

/* What `power` finds in a history of batches: 1 % is not in the band of the clock. */
Test(clock, power_of_batches)
{
	const struct history_query all = { .last = 0 };
	const struct power_query q = { .select = &all };
	struct power_page page;
	struct history h;
	struct error err;

	runs("round_trip", 0, 30, 10, 0.01);
	runs("round_trip_batch", 0, 30, 10.4, 0.01);
	next.benchmark = "pmu_pmccntr_write";
	for (int i = 0; i < 30; i++) {
		char run[16];

		snprintf(run, sizeof(run), "r%d", i);
		next.lo = next.hi = 0;
		put(run, 10.4 + 0.01 * (i % 3));
	}
	read_all(&h);
	cr_assert_eq(power_of_history(&h, &q, &page, &err), 0, "%s", err.text);
	cr_assert_eq(page.n_rows, 3);
	cr_expect_float_eq(page.rows[0].band, 2 / page.rows[0].value, 1e-9);
	cr_expect_eq(page.rows[1].band, 0.01);
	cr_expect_float_eq(page.rows[2].band, 0.4 / page.rows[2].value, 1e-9);
	power_free(&page);
	history_free(&h);
}

/* A row of the history has the step of its own samples. */
Test(clock, stored_steps)
{
	static const struct {
		const char *unit;
		uint64_t quantum;
	} cases[] = { { "ticks", 40 }, { "ns", 1 },	  { "counts", 1 },
		      { "%", 0 },      { "switches", 0 }, { "ops/s", 0 } };
	struct result *r = fixture_document("kvm", false);
	struct result_benchmark *b = fixture_row(r, "halt", "default");
	struct result_metric *m = fixture_boots(r, b, (const double[]){ 1, 2, 3 }, 3);
	struct row row;

	r->clock.resolution = 40;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m->unit = cases[i].unit;
		cr_assert(row_of(r, b, m, &row));
		cr_expect_eq(row.quantum, cases[i].quantum, "%s: %ju", m->unit,
			     (uintmax_t)row.quantum);
	}
	r->target.exact = true;
	cr_assert(row_of(r, b, m, &row));
	cr_expect_eq(row.quantum, 1);
	result_free(r);
}
