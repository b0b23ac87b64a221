/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a comparison of more boots or runs would find, planned from the noise of
 * documents. The tests are those of compare_judge.c and runs.c.
 */
#include "host/compare/compare_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "host/stats/two_sample.h"
#include "host/stats/summary.h"

/* Variance of a Hodges-Lehmann shift, and of a median of boots, in that of a mean. */
#define RANK_COST   (M_PI / 3)
#define MEDIAN_COST (M_PI / 2)

/* Two runs a side do not show the rows' common variance in one of seven cases. */
#define RUNS_LEAST 3

struct compare_plan {
	struct drift drift; /* one document */
	struct runs runs;   /* several */
	const struct result *first;
};

struct compare_plan *compare_plan_new(const struct result *const *docs, size_t n)
{
	struct compare_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		abort();
	plan->first = docs[0];
	plan->runs = (struct runs){ .docs = { docs, NULL }, .n = { n, 0 } };
	if (n > 1)
		runs_learn(&plan->runs, (const char *const[2]){ NULL, NULL });
	else
		plan->drift = drift_of(docs[0]);
	return plan;
}

void compare_plan_free(struct compare_plan *plan)
{
	drift_free(&plan->drift);
	runs_free(&plan->runs);
	free(plan);
}

/* The noise of one boot. */
struct boots {
	struct drift_own row;
	double shared, known; /* variance; degrees of freedom */
	const struct drift *drift;
	double alpha, band;
	size_t least;
};

/*
 * The interval of the ranks and the allowances for drift and for the row's dependence are
 * added in quadrature. The test must be significant by ranks, and by t with allowances.
 */
static struct power_test test_of_boots(const void *of, size_t n)
{
	const struct boots *b = of;
	double boots = (double)n, level = (1 - COMPARE_LEVEL) / 2;
	double ranks = 2 * RANK_COST * (b->row.variance + b->shared) / boots;
	struct drift_own row = drift_own_again(b->drift, &b->row, n);
	double own = 2 * row.variance / boots * (stats_ar_inflation(row.ar, n) - 1);
	double limit = 2 * drift_excess(b->drift, n, true), all = limit + own;
	double df = stats_df_of_sum(limit, 2 * boots - 2, own, 2 * row.df), t;
	struct power_test test = {
		.se = sqrt(ranks + own + 2 * drift_excess(b->drift, n, false)),
		.limit = sqrt(ranks + all),
		.df = 2 * boots - 2,
		.known = b->known,
		.edge = b->band,
	};

	if (n < b->least)
		return (struct power_test){ .se = INFINITY };
	t = all > 0 ? gsl_cdf_tdist_Qinv(level, df) : 0;
	test.outside = sqrt(gsl_cdf_tdist_Qinv(level, test.df) *
				    gsl_cdf_tdist_Qinv(level, test.df) * ranks +
			    t * t * all) /
		       test.limit;
	t = all > 0 ? gsl_cdf_tdist_Qinv(b->alpha / 2, df) : 0;
	test.significant = fmax(t, gsl_cdf_tdist_Qinv(b->alpha / 2, test.df) *
					   sqrt(ranks) / test.limit);
	return test;
}

static bool plan_boots(const struct compare_plan *plan, const struct result_metric *m,
		       const struct compare_wish *wish, size_t rows,
		       struct compare_found *out)
{
	struct drift_own own = drift_own_of(&plan->drift, &(struct drift_row){ m, NULL });
	double shared = plan->drift.sd * plan->drift.sd;
	struct boots b = {
		.row = own,
		.shared = shared,
		.known = stats_df_of_sum(own.variance, own.df, shared,
					 (double)plan->drift.rounds - 1),
		.drift = &plan->drift,
		.alpha = COMPARE_ALPHA / (double)rows,
		.band = wish->band,
		.least = stats_least_values(COMPARE_ALPHA, rows),
	};
	struct power_test test;

	if (!(own.df > 0) || !(own.variance + shared > 0))
		return false;
	test = test_of_boots(&b, wish->boots);
	out->least = power_least(&test, wish->share);
	for (size_t k = 0; k < wish->n_changes; k++)
		out->need[k] =
			power_count(test_of_boots, &b, 2, wish->changes[k], wish->share);
	return true;
}

static bool plan_runs(const struct compare_plan *plan, const char *name,
		      const char *config, const struct compare_wish *wish, size_t rows,
		      struct compare_found *out)
{
	const struct runs *runs = &plan->runs;
	double most = (double)(runs->rows ? runs->rows - 1 : 0) * runs->df, fewer;
	struct stats_prior own;
	struct power_runs p;
	struct power_test test;

	if (!runs_noise(runs, name, config, &own))
		return false;
	/* The runs of the plan can have other numbers of boots. */
	fewer = MEDIAN_COST * wish->boot * wish->boot *
		(1 / (double)wish->boots - 1 / wish->boots_now);
	p = (struct power_runs){
		.own = fmax(own.variance + fewer, fmax(1e-12, own.variance / 100)),
		.common = runs->variance,
		.own_df = own.df,
		.common_df = runs->df,
		.prior = runs->own.df,
		.rows = runs->own.df >= most * (1 - 1e-9) ? runs->rows : 0,
		.alpha = COMPARE_ALPHA / (double)rows,
		.level = COMPARE_LEVEL,
		.band = wish->band,
	};
	test = power_of_runs(&p, wish->runs);
	out->least = power_least(&test, wish->share);
	for (size_t k = 0; k < wish->n_changes; k++)
		out->need[k] = power_count(power_of_runs, &p, RUNS_LEAST,
					   wish->changes[k], wish->share);
	return true;
}

bool compare_plan_row(const struct compare_plan *plan, const char *name,
		      const char *config, const struct compare_wish *wish, size_t rows,
		      struct compare_found *out)
{
	const struct result_benchmark *b = result_find(plan->first, name, config);
	const struct result_metric *m = b ? result_find_metric(b, "round_trip") : NULL;

	if (!m)
		return false;
	return plan->runs.n[0] > 1 ? plan_runs(plan, name, config, wish, rows, out)
				   : plan_boots(plan, m, wish, rows, out);
}

/* advice for a row that is inconclusive */

/* More boots or runs than a person measures: no advice beyond. */
#define ADVICE_MOST 1000

/* The share of changes that are seen. */
#define SEEN 0.9

static size_t units_of(const struct compare *c, const struct compare_row *row)
{
	if (c->paired)
		return row->pairs;
	if (compare_has_runs(c))
		return row->base.runs < row->new.runs ? row->base.runs : row->new.runs;
	return row->base.boots < row->new.boots ? row->base.boots : row->new.boots;
}

/* What drift and dependence add to the half width of one run's interval, of ln. */
static double allowance(const struct compare *c, const struct drift_own own[2], size_t n)
{
	double all = 0, rows = 0, df = 0;

	for (int s = 0; s < 2; s++) {
		struct drift_own row;

		if (!own[s].boots)
			continue;
		row = drift_own_again(&c->drifts[s], &own[s], n);

		all += drift_excess(&c->drifts[s], n, true);
		rows += row.variance / (double)n * (stats_ar_inflation(row.ar, n) - 1);
		df += row.df;
	}
	return hypot(
		drift_reach(&(struct drift_between){ sqrt(all), 2 * (double)n - 2 },
			    COMPARE_LEVEL),
		drift_reach(&(struct drift_between){ sqrt(rows), df }, COMPARE_LEVEL));
}

/* The half width of a row's interval with other numbers of boots or runs. */
struct width {
	const struct compare *c;
	struct drift_own own[2];
	double ranks, scale; /* without allowance; of ln in the unit, 0: no allowance */
	size_t units;
};

static double half_width(const struct compare_row *row)
{
	return fmax(row->hi - row->shift, row->shift - row->lo);
}

/*
 * The test of a row with a half width of its interval. A change is seen where it is
 * significant after Holm's correction, of which the first step counts, and where the
 * interval is outside the band.
 */
static struct power_test test_of_row(const struct compare *c,
				     const struct compare_row *row, double width)
{
	double alpha = COMPARE_ALPHA / (double)c->family, level = 1 - COMPARE_LEVEL;
	bool ranks = isnan(row->df);
	struct power_test t = { .df = row->df, .edge = row->band };

	if (ranks)
		t.df = c->paired ? (double)row->pairs - 1
				 : (double)(row->base.boots + row->new.boots) - 2;
	t.known = t.df;
	t.significant = ranks ? gsl_cdf_ugaussian_Qinv(alpha / 2)
			      : gsl_cdf_tdist_Qinv(alpha / 2, t.df);
	t.outside = ranks ? gsl_cdf_ugaussian_Qinv(level / 2)
			  : gsl_cdf_tdist_Qinv(level / 2, t.df);
	t.se = t.limit = width / t.outside;
	return t;
}

double compare_least_seen(const struct compare *c, const struct compare_row *row)
{
	struct power_test test = test_of_row(c, row, half_width(row));

	return power_least(&test, SEEN);
}

/* The half width of the interval with which a change of twice the band is seen. */
static double width_for_two_bands(const struct compare *c, const struct compare_row *row)
{
	double low = 0, high = row->band;

	for (int i = 0; i < 20; i++) {
		double middle = (low + high) / 2;
		struct power_test test = test_of_row(c, row, middle);

		if (power_found(&test, 2 * row->band) < SEEN)
			high = middle;
		else
			low = middle;
	}
	return low;
}

static struct width width_of(const struct compare *c, const struct compare_row *row)
{
	struct width w = { .c = c, .units = units_of(c, row) };
	double now = half_width(row), all, own;

	if (!compare_has_runs(c) && !isnan(row->ratio_lo)) {
		const struct result_metric *base = row->base.metric,
					   *new = row->new.metric;
		const struct drift_row rows[2] = {
			{ base, c->paired ? new : NULL },
			{ new, NULL },
		};
		struct drift_between between = compare_own_drift(c, row);

		w.own[0] = drift_own_of(&c->drifts[0], &rows[0]);
		if (!c->paired)
			w.own[1] = drift_own_of(&c->drifts[1], &rows[1]);
		if (w.own[0].boots && (c->paired || w.own[1].boots))
			w.scale = fabs(row->base.value);
		all = drift_reach(&c->drift, COMPARE_LEVEL);
		own = drift_reach(&between, COMPARE_LEVEL);
		now = sqrt(
			fmax(0, now * now - w.scale * w.scale * (all * all + own * own)));
	}
	w.ranks = now * sqrt((double)w.units);
	return w;
}

static double width_at(const struct width *w, size_t n)
{
	return hypot(w->ranks / sqrt((double)n),
		     w->scale > 0 ? w->scale * allowance(w->c, w->own, n) : 0);
}

/* A test of fewer boots cannot be significant. */
static double least_units(const struct compare *c)
{
	if (c->paired)
		return (double)stats_least_pairs(COMPARE_ALPHA, c->family);
	if (!compare_has_runs(c))
		return (double)stats_least_values(COMPARE_ALPHA, c->family);
	return 2;
}

/*
 * The least number, from 20 on of one digit and zeros, with a half width of at most
 * `room`; NAN: too many.
 */
static double units_for(const struct width *w, double room)
{
	size_t first = w->units + 1, least = (size_t)least_units(w->c);

	for (size_t n = first > least ? first : least, step; n <= ADVICE_MOST;
	     n += step - n % step) {
		step = n < 20 ? 1 : n < 100 ? 10 : 100;
		if (n % step == 0 && width_at(w, n) <= room)
			return (double)n;
	}
	return NAN;
}

/*
 * By the normal approximation of the test; of ranks, at least as many as they need, which
 * is enough where each boot of one side is above those of the other.
 */
static double units_for_significance(const struct compare *c,
				     const struct compare_row *row, size_t units)
{
	double now = gsl_cdf_ugaussian_Qinv(fmax(row->p, 1e-300) / 2);
	double then = gsl_cdf_ugaussian_Qinv(COMPARE_ALPHA / (double)c->family / 2);
	double n = fmax((double)units + 1, least_units(c)), least_p = 0;

	if (c->paired)
		least_p = ldexp(2, -(int)units);
	else if (!compare_has_runs(c))
		least_p = stats_apart_by_chance(row->base.boots, row->new.boots);
	if (now > 0 && row->p > least_p * (1 + 1e-9))
		n = fmax(n, ceil((double)units * then * then / (now * now)));
	return n;
}

/* "2 %", or "12 ticks" where a figure is near 0. Rounded, as rows then share a note. */
static void show_change(char *out, size_t bytes, const struct compare_row *row,
			double change)
{
	double percent = 100 * change / row->base.value;

	if (row->base.value > 0 && percent < 100)
		snprintf(out, bytes, "%.2g %%",
			 percent < 3 ? percent : ceil(percent - 1e-6));
	else
		snprintf(out, bytes, "%.3g %s", change, row->unit ? row->unit : "");
}

/* The clock of which the step of a row is. */
static const struct result_clock *coarsest(const struct compare *c)
{
	const struct result_clock *out = &c->base->clock;

	if (!compare_has_runs(c))
		return c->new->clock.resolution > out->resolution ? &c->new->clock : out;
	for (int s = 0; s < 2; s++)
		for (size_t k = 0; k < c->runs.n[s]; k++)
			if (c->runs.docs[s][k]->clock.resolution > out->resolution)
				out = &c->runs.docs[s][k]->clock;
	return out;
}

static bool has_batch(const struct compare_side *side)
{
	const struct result_metric *m = result_find_metric(side->benchmark, RESULT_BATCH);

	return m && isfinite(m->value);
}

/* The band of a row is two steps, and `what` is in it: more boots do not help. */
static void blame_clock(const struct compare *c, struct compare_row *row,
			const char *what, const char *boots)
{
	const struct result_clock *clock = coarsest(c);
	const char *unit = row->unit ? row->unit : "";
	bool timed = clock->unit && !strcmp(unit, clock->unit);
	bool batch = !strcmp(row->metric, "round_trip") && has_batch(&row->base) &&
		     has_batch(&row->new);
	int length = (int)strlen(unit);
	char ns[32] = "";

	if (timed && clock->hz)
		snprintf(ns, sizeof(ns), ", %.3g ns",
			 row->step * 1e9 / (double)clock->hz);
	/* "1 tick", "1 count". */
	if (row->step == 1 && result_whole_unit(unit) && strcmp(unit, "ns") != 0)
		length--;
	row->by_clock = true;
	snprintf(row->reason, sizeof(row->reason),
		 "%s %d steps%s (a step is %.3g %.*s%s): more %s would not help%s", what,
		 COMPARE_BAND_QUANTA, timed ? " of the clock" : "", row->step, length,
		 unit, ns, boots,
		 batch ? "; --metric " RESULT_BATCH " resolves more" : "");
}

void compare_advise(const struct compare *c, struct compare_row *row)
{
	const char *unit = compare_has_runs(c) ? "runs" : c->paired ? "pairs" : "boots";
	const char *side = c->paired ? "" : " per side";
	double *needed = compare_has_runs(c) ? &row->runs_needed : &row->boots_needed;
	double room = fabs(fabs(row->shift) - row->band), now = half_width(row);
	char hidden[32], shown[32];
	bool of_clock = compare_band_of_clock(row);
	struct width w;

	if (isnan(row->lo) || isnan(row->hi)) {
		if (compare_has_runs(c)) {
			snprintf(row->reason, sizeof(row->reason),
				 "too few runs have this figure");
			return;
		}
		*needed = units_for_significance(c, row, units_of(c, row));
		snprintf(row->reason, sizeof(row->reason),
			 "too few %s: about %.0f%s would decide", unit, *needed, side);
		return;
	}
	if (row->lo > row->band || row->hi < -row->band) {
		*needed = units_for_significance(c, row, units_of(c, row));
		snprintf(row->reason, sizeof(row->reason),
			 "too few %s to be significant: about %.0f%s would decide", unit,
			 *needed, side);
		return;
	}
	if (of_clock && fmax(row->hi, -row->lo) <= row->band * (1 + 1e-9)) {
		blame_clock(c, row, "the difference is within", unit);
		return;
	}
	/* A base of 0, and no step. */
	if (!(row->band > 0)) {
		show_change(hidden, sizeof(hidden), row, compare_least_seen(c, row));
		snprintf(row->reason, sizeof(row->reason),
			 "the figure of BASE is 0: noise hides changes below %s", hidden);
		return;
	}
	w = width_of(c, row);
	if (room >= row->band && fabs(row->shift) > row->band) {
		*needed = units_for(&w, room);
		if (!isnan(*needed)) {
			snprintf(
				row->reason, sizeof(row->reason),
				"the interval begins within the band: about %.0f %s%s would decide",
				*needed, unit, side);
			return;
		}
	} else if (now <= row->band && of_clock) {
		blame_clock(c, row, "the shift is about as large as", unit);
		return;
	} else if (now <= row->band) {
		snprintf(
			row->reason, sizeof(row->reason),
			"the shift is about as large as the band: more %s would not help",
			unit);
		return;
	} else {
		*needed = units_for(&w, width_for_two_bands(c, row));
	}
	show_change(hidden, sizeof(hidden), row, compare_least_seen(c, row));
	show_change(shown, sizeof(shown), row, 2 * row->band);
	if (isnan(*needed))
		snprintf(row->reason, sizeof(row->reason),
			 "noise hides changes below %s; %d %s%s would not show %s",
			 hidden, ADVICE_MOST, unit, side, shown);
	else
		snprintf(row->reason, sizeof(row->reason),
			 "noise hides changes below %s; about %.0f %s%s show %s", hidden,
			 *needed, unit, side, shown);
}
