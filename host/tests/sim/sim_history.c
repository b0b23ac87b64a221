/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histories of simulated figures. */
#include "host/tests/sim/sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "host/history/history.h"
#include "host/stats/two_sample.h"

#define RUNS_MAX 200

struct detail {
	size_t runs;	   /* of the whole series */
	size_t step_at;	   /* first run of the step; 0: no step */
	double step;	   /* of ln */
	bool planned;	   /* the step that wsbench power says is found in 90 %, ... */
	struct sim_ar own; /* of a run */
	double outliers;   /* share of the runs, drawn per run */
	size_t n_outliers; /* or their number, at random runs */
	double modes;	   /* share of the runs in a second mode, up by 5 % */
	double trend;	   /* of ln per run */
	size_t coarse;	   /* so many runs have a clock with steps of 10 % */
	/*
	 * The gate of a CI: each run from this one on is added and checked, as by
	 * `history check --last 1`. 0: one check of the whole series.
	 */
	size_t gate_from;
	/*
	 * Rows with quantiles: `share` of a run's events take twice as long, from the
	 * step on `share_after`. The share of a run varies by a fifth.
	 */
	double share, share_after;
	double disturbed;   /* share of runs of which half of the events take long */
	struct sim_ar tail; /* of ln of the 99th percentile, from run to run */
	bool near_tail;	    /* the 90th moves by the same */
	bool quantiles;
	/* The runs, not the events, have modes (`modes`), and the lower one doubles. */
	bool lower_doubles;
};

/* An outlier is up by 3 % to 30 %. */
static double outlier(gsl_rng *rng)
{
	return log(1 + gsl_ran_flat(rng, 0.03, 0.3));
}

#define EVENTS	 5000 /* of a run */
#define EVENT_SD 0.01
#define LONG	 2.0 /* times as long as the others */

/* A quantile of the events of a run, of which `n_long` take long. */
static double event_quantile(gsl_rng *rng, double share, size_t n_long)
{
	double below = share * EVENTS, n = EVENTS - (double)n_long, scale = 1, u, sd;

	if (below >= n) {
		below -= n;
		n = (double)n_long;
		scale = LONG;
	}
	u = fmin(fmax(below, 0.5), n - 0.5) / n;
	sd = sqrt(u * (1 - u) / n) / gsl_ran_ugaussian_pdf(gsl_cdf_ugaussian_Pinv(u));
	return scale *
	       exp(EVENT_SD * (gsl_cdf_ugaussian_Pinv(u) + gsl_ran_gaussian(rng, sd)));
}

/* Sets the value and the quantiles of a run, relative to its level. */
static double draw_events(const struct detail *d, gsl_rng *rng, bool after,
			  double out[ROW_QUANTILES])
{
	static const double shares[ROW_MEAN] = { 0.05, 0.25, 0.75, 0.9, 0.99 };
	double share =
		(after ? d->share_after : d->share) * exp(gsl_ran_gaussian(rng, 0.2));
	size_t n_long;

	if (gsl_rng_uniform(rng) < d->disturbed)
		share = 0.5;
	n_long = gsl_ran_binomial(rng, fmin(share, 0.95), EVENTS);
	for (size_t q = 0; q < ROW_MEAN; q++)
		out[q] = event_quantile(rng, shares[q], n_long);
	out[ROW_MEAN] = 1 + (LONG - 1) * (double)n_long / EVENTS;
	return event_quantile(rng, 0.5, n_long);
}

static void draw(const struct detail *d, gsl_rng *rng, struct history_point *points,
		 double (*quantiles)[ROW_QUANTILES])
{
	double noise[RUNS_MAX], extra[RUNS_MAX] = { 0 }, tail[RUNS_MAX] = { 0 };

	sim_ar_fill(rng, &d->own, noise, d->runs);
	if (d->tail.sd > 0)
		sim_ar_fill(rng, &d->tail, tail, d->runs);
	for (size_t i = 0; i < d->runs && d->modes > 0; i++)
		extra[i] = gsl_rng_uniform(rng) < d->modes
				   ? log(d->lower_doubles ? 10 : 1.05)
				   : 0;
	for (size_t i = 0; i < d->runs; i++)
		if (d->outliers > 0 && gsl_rng_uniform(rng) < d->outliers)
			extra[i] = outlier(rng);
	for (size_t i = 0; i < d->n_outliers;) {
		size_t at = gsl_rng_uniform_int(rng, d->runs);

		if (extra[at] > 0)
			continue;
		extra[at] = outlier(rng);
		i++;
	}
	for (size_t i = 0; i < d->runs; i++) {
		double level = d->step_at && i >= d->step_at ? d->step : 0;

		level += d->trend * (double)i;
		points[i] = (struct history_point){
			.run = i,
			.value = 10000 * exp(level + noise[i] + extra[i]),
			.lo = NAN,
			.hi = NAN,
			.boots = 10,
			.quantum = i % 10 == 5 && i / 10 < d->coarse ? 1000 : 1,
			.class = { NULL, NAN },
		};
		if (d->lower_doubles && d->step_at && i >= d->step_at && !(extra[i] > 0))
			points[i].value *= 2;
		if (!d->quantiles)
			continue;
		level = points[i].value;
		points[i].value *=
			draw_events(d, rng, d->step_at && i >= d->step_at, quantiles[i]);
		for (size_t q = 0; q < ROW_QUANTILES; q++)
			quantiles[i][q] *= level;
		quantiles[i][ROW_P99] *= exp(tail[i]);
		if (d->near_tail)
			quantiles[i][ROW_P90] *= exp(tail[i]);
		points[i].quantiles = quantiles[i];
	}
}

/* A history of one series at a noisy place. */
struct one {
	struct history h;
	struct history_place place;
	struct history_run runs[RUNS_MAX];
	struct history_series series;
	struct history_point points[RUNS_MAX];
	double quantiles[RUNS_MAX][ROW_QUANTILES];
};

static void one_init(struct one *o, size_t runs)
{
	*o = (struct one){
		.place = { .target = "kvm", .what = "m", .n_runs = runs },
		.series = { .benchmark = "b",
			    .config = "default",
			    .metric = "round_trip",
			    .unit = "ticks",
			    .lower_is_better = true,
			    .quantum = 1 },
	};
	for (size_t i = 0; i < runs; i++)
		o->runs[i] = (struct history_run){
			.id = "r", .time = "t", .subject = i, .at_place = i
		};
	o->series.points = o->points;
	o->h = (struct history){
		.places = &o->place,
		.runs = o->runs,
		.series = &o->series,
		.n_places = 1,
		.n_runs = runs,
		.n_series = 1,
	};
}

/* The changes of the first n runs. */
static void judge(struct one *o, size_t n)
{
	o->series.n_points = n;
	o->h.n_runs = o->place.n_runs = n;
	free(o->series.changes);
	o->series.changes = NULL;
	o->series.n_changes = 0;
	if (history_judge(&o->h, &history_rules))
		abort();
}

/*
 * A change is right within this distance of the step, and in a trend if it says so. The
 * least step that is found is often placed less well, which is `false`, and found.
 */
#define NEAR 2

/* Where runs have modes, the first ones after a step can be in the mode without. */
#define NEAR_MODES 8

enum right { RIGHT, WRONG, NEITHER };

static enum right judge_change(const struct detail *d, const struct history_series *s,
			       size_t k)
{
	const struct changepoint *c = &s->changes[k];
	size_t reach = d->lower_doubles ? NEAR_MODES : NEAR;
	bool near = d->step_at && c->index + reach >= d->step_at &&
		    c->index <= d->step_at + reach;
	char text[HISTORY_NAME_BYTES];

	if (c->trend != 0)
		return d->trend != 0 ? RIGHT : WRONG;
	if (!near || !d->quantiles)
		return near && (c->of == CHANGEPOINT_OF_MEAN || d->lower_doubles) ? RIGHT
										  : WRONG;
	/* The median of the events moves a little, too. */
	history_distribution_change(s, k, text, sizeof(text));
	return *text ? RIGHT : NEITHER;
}

static void check_whole(const struct detail *d, struct one *o, struct sim_counts *out)
{
	bool found = false, wrong = false;

	judge(o, d->runs);
	for (size_t k = 0; k < o->series.n_changes; k++) {
		const struct changepoint *c = &o->series.changes[k];

		if (c->single)
			continue;
		if (d->planned && c->after > c->before)
			found = true;
		switch (judge_change(d, &o->series, k)) {
		case RIGHT:
			found = true;
			break;
		case WRONG:
			wrong = true;
			break;
		case NEITHER:
			break;
		}
	}
	out->units++;
	out->wanted += d->step_at > 0 || d->trend != 0;
	out->found += found;
	out->wrong_units += wrong;
	out->changes += o->series.n_changes;
}

/* What the checks of a gate report for one series. */
struct gate {
	size_t right; /* the step, by the same sign */
	size_t wrong; /* checks that report another change */
	size_t open;  /* checks that report a change of the newest run alone */
};

static struct gate run_gate(const struct detail *d, struct one *o)
{
	static const struct history_query newest = { .last = 1 };
	struct gate g = { 0 };

	for (size_t n = d->gate_from; n <= d->runs; n++) {
		struct history_alarm *alarms;
		size_t n_alarms;
		size_t reported[3] = { 0 };
		bool open = false;

		judge(o, n);
		alarms = history_alarms(&newest, &o->h, &n_alarms);
		for (size_t i = 0; i < n_alarms; i++) {
			if (!alarms[i].recent)
				continue;
			if (history_is_open(&alarms[i]))
				open = true;
			else
				reported[alarms[i].kind == HISTORY_BETTER
						 ? WRONG
						 : judge_change(d, &o->series,
								alarms[i].k)]++;
		}
		free(alarms);
		g.right += reported[RIGHT];
		g.wrong += reported[WRONG] > 0;
		g.open += open;
	}
	return g;
}

/* The unit is a check, or, with a step, a series. A step that is reported twice is wrong.
 */
static void check_gate(const struct detail *d, struct one *o, struct sim_counts *out)
{
	struct gate g = run_gate(d, o);

	out->changes += g.right + g.wrong;
	if (!d->step_at) {
		out->units += d->runs + 1 - d->gate_from;
		out->wrong_units += g.wrong;
		out->undecided += g.open;
		return;
	}
	out->units++;
	out->wanted++;
	out->found += g.right > 0;
	out->wrong_units += g.right > 1 || g.wrong;
	out->undecided += g.open > 0;
}

static void simulate(const struct sim_scenario *s, gsl_rng *rng, size_t repeat,
		     struct sim_counts *out)
{
	struct detail plan = *(const struct detail *)s->detail;
	const struct detail *d = &plan;
	struct one o;

	if (d->planned) {
		const struct power_gate gate = {
			.sd = d->own.sd,
			.before = d->step_at,
			.alpha = history_rules.pvalue,
			.least = log1p(history_rules.magnitude),
			.known = INFINITY,
		};
		struct power_test test = power_of_gate(&gate, d->runs - d->step_at);

		plan.step = power_least(&test, 0.9);
	}
	one_init(&o, d->runs);
	for (size_t i = 0; i < repeat; i++) {
		draw(d, rng, o.points, o.quantiles);
		if (d->gate_from)
			check_gate(d, &o, out);
		else
			check_whole(d, &o, out);
	}
	free(o.series.changes);
}

#define DETAIL(...) (&(const struct detail){ __VA_ARGS__ })
#define STEP	    0.0198026 /* ln(1.02) */

static const struct sim_scenario scenarios[] = {
	{ "60 runs, noise 0.5 %",
	  5000,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }) },
	{ "60 runs, noise 2 %",
	  5000,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.02, 0 }) },
	{ "60 runs, noise 0.5 %, 3 % outlier runs",
	  5000,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .outliers = 0.03) },
	{ "60 runs, noise 2 %, 3 % outlier runs",
	  5000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(.runs = 60, .own = { 0.02, 0 }, .outliers = 0.03) },
	{ "60 runs, noise 0.5 %, 10 % in a second mode",
	  2000,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .modes = 0.1) },
	{ "60 runs, noise 0.5 %, 30 % in a second mode",
	  5000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .modes = 0.3) },
	{ "60 runs, noise AR(0.7) 0.5 %",
	  2000,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0.7 }) },
	{ "gate, run 8 to 11, noise 0.5 %",
	  2000,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 11, .own = { 0.005, 0 }, .gate_from = 8) },
	{ "gate, run 8 to 11, noise 0.5 %, 3 % outlier runs",
	  2000,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 11, .own = { 0.005, 0 }, .outliers = 0.03, .gate_from = 8) },
	{ "gate, run 20 to 60, noise 0.5 %",
	  500,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .gate_from = 20) },
	{ "gate, run 20 to 60, noise 0.5 %, 3 % outlier runs",
	  500,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .outliers = 0.03, .gate_from = 20) },
	{ "gate, run 20 to 60, noise 2 %, 3 % outlier runs",
	  500,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.02, 0 }, .outliers = 0.03, .gate_from = 20) },
	{ "gate, +2 %, 2 runs after it, noise 0.5 %, 3 % outliers",
	  2000,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(.runs = 42, .step_at = 40, .step = STEP, .own = { 0.005, 0 },
		 .outliers = 0.03, .gate_from = 41) },
	{ "gate, +2 %, 5 runs after it, noise 0.5 %",
	  2000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .step = STEP, .own = { 0.005, 0 },
		 .gate_from = 41) },
	{ "gate, +2 %, 5 runs after it, noise 0.5 %, 3 % outliers",
	  2000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .step = STEP, .own = { 0.005, 0 },
		 .outliers = 0.03, .gate_from = 41) },
	{ "gate, +2 %, 20 runs after it, noise 0.5 %, 3 % outliers",
	  1000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 60, .step_at = 40, .step = STEP, .own = { 0.005, 0 },
		 .outliers = 0.03, .gate_from = 41) },
	{ "gate, +10 %, 20 runs after it, noise 2 %",
	  1000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 60, .step_at = 40, .step = 0.0953, .own = { 0.02, 0 },
		 .gate_from = 41) },
	{ "+2 % after 40 runs, 5 runs, noise 0.5 %",
	  2000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .step = STEP, .own = { 0.005, 0 }) },
	{ "+2 % after 40 runs, 5 runs, noise 0.5 %, 3 % outlier runs",
	  2000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .step = STEP, .own = { 0.005, 0 },
		 .outliers = 0.03) },
	{ "+2 % after 20 of 40 runs, noise 0.5 %, 2 outlier runs",
	  2000,
	  true,
	  { SIM_FOUND, 0.99, false },
	  DETAIL(.runs = 40, .step_at = 20, .step = STEP, .own = { 0.005, 0 },
		 .n_outliers = 2) },
	{ "+2 % after 35 of 40 runs, noise 0.5 %, 2 outlier runs",
	  2000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 40, .step_at = 35, .step = STEP, .own = { 0.005, 0 },
		 .n_outliers = 2) },
	{ "+2 % after 40 runs, 2 runs, noise 0.5 %",
	  2000,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(.runs = 42, .step_at = 40, .step = STEP, .own = { 0.005, 0 }) },
	{ "+10 % after 60 of 80 runs, noise 2 %",
	  2000,
	  false,
	  { SIM_FOUND, 0.99, false },
	  DETAIL(.runs = 80, .step_at = 60, .step = 0.0953, .own = { 0.02, 0 }) },
	{ "+10 % after 60 of 80 runs, noise 0.5 %, one coarse clock",
	  2000,
	  true,
	  { SIM_FOUND, 0.99, false },
	  DETAIL(.runs = 80, .step_at = 60, .step = 0.0953, .own = { 0.005, 0 },
		 .coarse = 1) },
	{ "the step of power, noise 0.5 %, 5 runs after 40",
	  2000,
	  true,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 45, .step_at = 40, .planned = true, .own = { 0.005, 0 }) },
	{ "the step of power, noise 2 %, 10 runs after 40",
	  2000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 50, .step_at = 40, .planned = true, .own = { 0.02, 0 }) },
	{ "the step of power, noise 2 %, 20 runs after 40",
	  2000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 60, .step_at = 40, .planned = true, .own = { 0.02, 0 }) },
	{ "the step of power, noise 1 %, 2 runs after 40",
	  2000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 42, .step_at = 40, .planned = true, .own = { 0.01, 0 }) },
	{ "the step of power, noise 1 %, 5 runs after 10",
	  2000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 15, .step_at = 10, .planned = true, .own = { 0.01, 0 }) },
	{ "the step of power, noise 0.5 %, 3 runs after 6",
	  2000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 9, .step_at = 6, .planned = true, .own = { 0.005, 0 }) },
	{ "the step of power, noise 0.2 %, 5 runs after 20",
	  2000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  DETAIL(.runs = 25, .step_at = 20, .planned = true, .own = { 0.002, 0 }) },
	{ "trend of 0.1 % per run, 60 runs, noise 0.5 %",
	  1000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .trend = 0.001) },
	{ "trend of 0.05 % per run, 60 runs, noise 0.5 %",
	  1000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .trend = 0.0005) },
	{ "60 runs, 30 % of the events long",
	  5000,
	  true,
	  { SIM_WRONG, 0.005, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .share = 0.3) },
	{ "60 runs, 10 % of the events long",
	  5000,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .share = 0.1) },
	{ "60 runs, 5 % of the events long, 3 % disturbed runs",
	  5000,
	  false,
	  { SIM_WRONG, 0.006, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .share = 0.05,
		 .disturbed = 0.03) },
	{ "200 runs, 25 % of the events long",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(.runs = 200, .own = { 0.005, 0 }, .quantiles = true, .share = 0.25) },
	{ "gate, run 20 to 60, 30 % of the events long",
	  500,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .share = 0.3,
		 .gate_from = 20) },
	{ "gate, run 20 to 60, 10 % long, 3 % disturbed runs",
	  500,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .share = 0.1,
		 .disturbed = 0.03, .gate_from = 20) },
	{ "gate, run 20 to 60, p99 AR(0.5) 10 %",
	  500,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .tail = { 0.1, 0.5 },
		 .gate_from = 20) },
	{ "gate, run 20 to 60, p99 AR(0.7) 10 %",
	  500,
	  true,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .tail = { 0.1, 0.7 },
		 .gate_from = 20) },
	{ "gate, run 20 to 60, p99 AR(0.9) 10 %",
	  500,
	  false,
	  { SIM_WRONG, 0.008, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .tail = { 0.1, 0.9 },
		 .gate_from = 20) },
	{ "gate, run 20 to 60, p90 and p99 AR(0.7) 10 %",
	  500,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 60, .own = { 0.005, 0 }, .quantiles = true, .tail = { 0.1, 0.7 },
		 .near_tail = true, .gate_from = 20) },
	{ "gate, run 150 to 200, p99 AR(0.7) 10 %",
	  100,
	  false,
	  { SIM_WRONG, 0.003, false },
	  DETAIL(.runs = 200, .own = { 0.005, 0 }, .quantiles = true,
		 .tail = { 0.1, 0.7 }, .gate_from = 150) },
	{ "gate, a mode of 30 % of the events appears, 5 runs",
	  2000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .own = { 0.005, 0 }, .quantiles = true,
		 .share_after = 0.3, .gate_from = 41) },
	{ "gate, a mode of 5 % grows to 30 %, 5 runs",
	  2000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .own = { 0.005, 0 }, .quantiles = true,
		 .share = 0.05, .share_after = 0.3, .gate_from = 41) },
	{ "gate, a mode of 10 % grows to 30 %, 5 runs",
	  2000,
	  true,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 45, .step_at = 40, .own = { 0.005, 0 }, .quantiles = true,
		 .share = 0.1, .share_after = 0.3, .gate_from = 41) },
	{ "gate, 10 % grows to 30 %, 5 runs, 3 % disturbed runs",
	  2000,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(.runs = 45, .step_at = 40, .own = { 0.005, 0 }, .quantiles = true,
		 .share = 0.1, .share_after = 0.3, .disturbed = 0.03, .gate_from = 41) },
	{ "gate, 10 % grows to 30 %, 20 runs, 3 % disturbed runs",
	  1000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 60, .step_at = 40, .own = { 0.005, 0 }, .quantiles = true,
		 .share = 0.1, .share_after = 0.3, .disturbed = 0.03, .gate_from = 41) },
	{ "30 % grows to 45 % after 40 of 60 runs",
	  2000,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(.runs = 60, .step_at = 40, .own = { 0.005, 0 }, .quantiles = true,
		 .share = 0.3, .share_after = 0.45) },
	{ "a mode of 30 % of the events after 12 of 20 runs",
	  2000,
	  false,
	  { SIM_FOUND, 0.95, false },
	  DETAIL(.runs = 20, .step_at = 12, .own = { 0.005, 0 }, .quantiles = true,
		 .share_after = 0.3) },
	{ "30 % of the runs 10 x, the others double after 100 of 200",
	  500,
	  true,
	  { SIM_FOUND, 0.75, false },
	  DETAIL(.runs = 200, .step_at = 100, .own = { 0.05, 0 }, .modes = 0.3,
		 .lower_doubles = true) },
	{ "30 % of the runs 10 x, 200 runs",
	  500,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(.runs = 200, .own = { 0.05, 0 }, .modes = 0.3, .lower_doubles = true) },
};

const struct sim_kind sim_history = {
	.title = "history",
	.units = "checks",
	.scenarios = scenarios,
	.n = sizeof(scenarios) / sizeof(*scenarios),
	.simulate = simulate,
};
