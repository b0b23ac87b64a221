/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several runs of a side: runs are the unit of the test, boots are nested in runs. */
#include "host/compare/compare_rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "host/stats/summary.h"

#define METRIC "round_trip"

/* Variances of ln are at least this: figures are rounded. */
#define VARIANCE_MIN 1e-12

bool compare_has_runs(const struct compare *c)
{
	return c->runs.n[0] > 1 || c->runs.n[1] > 1;
}

static void *room(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

/* The median of a run's valid boots; NAN: the run has no figure of the row. */
static double value_of(const struct result *r, const char *name, const char *config,
		       const char *metric)
{
	const struct result_benchmark *b = result_find(r, name, config);
	const struct result_metric *m =
		b && b->status == RESULT_OK ? result_find_metric(b, metric) : NULL;
	double *medians, value;
	size_t n = 0;

	if (!m || isnan(m->value))
		return NAN;
	medians = room(m->n_boots, sizeof(*medians));
	for (size_t i = 0; i < m->n_boots; i++)
		if (m->boots[i].valid && !isnan(m->boots[i].summary.p50))
			medians[n++] = m->boots[i].summary.p50;
	value = n ? stats_median(medians, n) : NAN;
	free(medians);
	return value;
}

/* The values of a row in the runs of the two sides, in the order of the documents. */
struct values {
	double *v[2];
	size_t n[2]; /* runs */
};

static void values_make(struct values *v, const struct runs *runs, const char *name,
			const char *const config[2], const char *metric)
{
	for (int s = 0; s < 2; s++) {
		v->n[s] = runs->n[s];
		v->v[s] = room(runs->n[s], sizeof(double));
		for (size_t k = 0; k < runs->n[s]; k++)
			v->v[s][k] = value_of(runs->docs[s][k], name, config[s], metric);
	}
}

static void values_free(struct values *v)
{
	free(v->v[0]);
	free(v->v[1]);
}

/* ln of every value; false, and unchanged: a value is not positive. */
static bool take_logs(struct values *v)
{
	for (int s = 0; s < 2; s++)
		for (size_t k = 0; k < v->n[s]; k++)
			if (v->v[s][k] <= 0)
				return false;
	for (int s = 0; s < 2; s++)
		for (size_t k = 0; k < v->n[s]; k++)
			v->v[s][k] = log(v->v[s][k]);
	return true;
}

/* Mean of the values that there are; *n: their number. */
static double mean_of(const double *v, size_t runs, size_t *n)
{
	double sum = 0;

	*n = 0;
	for (size_t k = 0; k < runs; k++) {
		if (isnan(v[k]))
			continue;
		sum += v[k];
		++*n;
	}
	return *n ? sum / (double)*n : NAN;
}

/* Variance within the sides, and its degrees of freedom. */
static double within(const struct values *v, double *df)
{
	double squares = 0;

	*df = 0;
	for (int s = 0; s < 2; s++) {
		size_t n;
		double mean = mean_of(v->v[s], v->n[s], &n);

		for (size_t k = 0; k < v->n[s]; k++)
			if (!isnan(v->v[s][k]))
				squares += (v->v[s][k] - mean) * (v->v[s][k] - mean);
		*df += n ? (double)n - 1 : 0;
	}
	return *df > 0 ? squares / *df : 0;
}

static void subtract_common(struct values *v, const struct runs *runs)
{
	for (int s = 0; s < 2; s++)
		for (size_t k = 0; k < v->n[s]; k++)
			v->v[s][k] -= runs->common[s][k];
}

/*
 * Rows with a positive value in every run, as ln. `configs`: of the two sides; NULL: that
 * of the row. `rows`: room for all of them.
 */
static size_t collect(const struct runs *runs, const char *const configs[2],
		      struct values *rows)
{
	const struct result *first = runs->docs[0][0];
	size_t n = 0;

	for (size_t i = 0; i < first->n_benchmarks; i++) {
		const struct result_benchmark *b = &first->benchmarks[i];
		const char *const config[2] = {
			configs[0] ? configs[0] : b->config,
			configs[1] ? configs[1] : b->config,
		};
		double df;

		if (strcmp(b->config, config[0]) != 0)
			continue;
		values_make(&rows[n], runs, b->name, config, METRIC);
		within(&rows[n], &df);
		if (df == runs->df && take_logs(&rows[n]))
			n++;
		else
			values_free(&rows[n]);
	}
	return n;
}

/* What all rows of each run have in common, about the mean of its side. */
static void learn_common(struct runs *runs, const struct values *rows, size_t n)
{
	double *work = room(n, sizeof(*work));

	for (int s = 0; s < 2; s++)
		for (size_t k = 0; k < runs->n[s]; k++) {
			size_t all;

			for (size_t i = 0; i < n; i++)
				work[i] = rows[i].v[s][k] -
					  mean_of(rows[i].v[s], runs->n[s], &all);
			runs->common[s][k] = n ? stats_median(work, n) : 0;
		}
	free(work);
}

/*
 * Whether all runs of one side were made before those of the other: a slow change of the
 * machine is then confounded with the difference of the sides. Unknown times are not.
 */
static bool are_in_blocks(const struct runs *runs)
{
	const char *first[2], *last[2];

	if (!runs->n[1])
		return false;
	for (int s = 0; s < 2; s++) {
		first[s] = last[s] = runs->docs[s][0]->run.started;
		for (size_t k = 0; k < runs->n[s]; k++) {
			const char *at = runs->docs[s][k]->run.started;

			if (!at)
				return false;
			first[s] = strcmp(at, first[s]) < 0 ? at : first[s];
			last[s] = strcmp(at, last[s]) > 0 ? at : last[s];
		}
	}
	return strcmp(last[0], first[1]) < 0 || strcmp(last[1], first[0]) < 0;
}

void runs_learn(struct runs *runs, const char *const configs[2])
{
	size_t most = runs->docs[0][0]->n_benchmarks;
	struct values *rows = room(most, sizeof(*rows));
	struct values common;
	double *variances = room(most, sizeof(*variances)), df;

	runs->blocks = are_in_blocks(runs);
	for (int s = 0; s < 2; s++)
		runs->common[s] = common.v[s] = room(runs->n[s], sizeof(double));
	runs->df = (double)(runs->n[0] + runs->n[1]) - (runs->n[1] ? 2 : 1);
	runs->rows = collect(runs, configs, rows);
	learn_common(runs, rows, runs->rows);
	common.n[0] = runs->n[0];
	common.n[1] = runs->n[1];
	runs->variance = within(&common, &df);
	for (size_t i = 0; i < runs->rows; i++) {
		subtract_common(&rows[i], runs);
		variances[i] = within(&rows[i], &df);
		values_free(&rows[i]);
	}
	runs->own = stats_prior_fit(variances, runs->rows, runs->df, VARIANCE_MIN);
	free(variances);
	free(rows);
}

void runs_free(struct runs *runs)
{
	free(runs->common[0]);
	free(runs->common[1]);
	*runs = (struct runs){ 0 };
}

bool runs_noise(const struct runs *runs, const char *name, const char *config,
		struct stats_prior *out)
{
	const char *const configs[2] = { config, config };
	struct values v;
	double df, variance;
	bool logs;

	values_make(&v, runs, name, configs, METRIC);
	logs = take_logs(&v);
	subtract_common(&v, runs);
	variance = within(&v, &df);
	values_free(&v);
	*out = stats_prior_apply(&runs->own, fmax(variance, VARIANCE_MIN), df);
	return logs && df > 0;
}

/* The shift of the means with its standard error. */
struct shift {
	double shift, se, df;
};

/*
 * The variance of a row is that of its own part, moderated over the rows, and that of the
 * part common to all rows, of which the runs alone give the degrees of freedom.
 */
static struct shift shift_of(const struct runs *runs, struct values *v, bool moderated,
			     double floor)
{
	static const struct stats_prior none = { 0 };
	const struct stats_prior *prior = moderated ? &runs->own : &none;
	struct shift out = { .df = NAN };
	struct stats_prior own;
	size_t n[2];
	double df, scale, common = moderated ? runs->variance : 0;

	out.shift = mean_of(v->v[1], v->n[1], &n[1]) - mean_of(v->v[0], v->n[0], &n[0]);
	scale = 1 / (double)n[0] + 1 / (double)n[1];
	if (moderated)
		subtract_common(v, runs);
	own.variance = within(v, &df);
	own = stats_prior_apply(prior, fmax(own.variance, floor), df);
	out.df = stats_df_of_sum(own.variance, own.df, common, runs->df);
	out.se = sqrt(scale * (own.variance + common));
	return out;
}

/* Sets the figures: the mean of the runs' medians, of ln where all are positive. */
static void set_figures(struct compare_row *row, const struct values *v, bool logs)
{
	struct compare_side *sides[2] = { &row->base, &row->new };

	for (int s = 0; s < 2; s++) {
		double mean = mean_of(v->v[s], v->n[s], &sides[s]->runs);

		sides[s]->value = logs ? exp(mean) : mean;
	}
	compare_set_difference(row);
}

void compare_measure_runs(const struct compare *c, struct compare_row *row)
{
	const char *const config[2] = { row->base.config, row->new.config };
	double reach, floor;
	struct values v;
	struct shift s;
	bool logs;

	row->method = "moderated t";
	values_make(&v, &c->runs, row->name, config, row->metric);
	logs = take_logs(&v);
	set_figures(row, &v, logs);
	/* Figures are rounded to steps of the clock. */
	floor = row->step * row->step / 12;
	if (logs)
		floor = fmax(VARIANCE_MIN, floor / (row->base.value * row->base.value));
	/* The prior is that of round trips. */
	s = shift_of(&c->runs, &v, logs && !strcmp(row->metric, METRIC), floor);
	values_free(&v);
	row->shift = s.shift;
	if (logs) {
		row->shift_ratio = exp(s.shift);
		row->shift = row->base.value * (row->shift_ratio - 1);
	}
	if (!(s.df > 0))
		return;
	row->df = s.df;
	/* Figures without a step can be equal in all runs, such as 0 %. */
	row->p = s.se > 0 || s.shift != 0
			 ? 2 * gsl_cdf_tdist_Q(fabs(s.shift) / s.se, s.df)
			 : 1;
	reach = gsl_cdf_tdist_Pinv((1 + COMPARE_LEVEL) / 2, s.df) * s.se;
	row->lo = s.shift - reach;
	row->hi = s.shift + reach;
	if (!logs)
		return;
	row->ratio_lo = exp(row->lo);
	row->ratio_hi = exp(row->hi);
	row->lo = row->base.value * (row->ratio_lo - 1);
	row->hi = row->base.value * (row->ratio_hi - 1);
}
