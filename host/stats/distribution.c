/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of distribution in a series: a screen that is linear, ranks, and a merge. */
#include "host/stats/changepoint.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>

#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

/* A search, with room for the longest window, and for the runs around a change. */
struct search {
	const double *vectors;
	size_t n, d;
	const struct distribution_rules *rules;
	struct edpelt *edpelt;
	double *scale;		 /* of each quantile: the standard deviation */
	double *sums;		 /* of a window: d per run, from the first run on */
	double *p;		 /* of the test of each quantile */
	double *column, *sample; /* values of a quantile; of the runs around a change */
	size_t *index;		 /* found in a column */
	bool *aside;		 /* of the runs around a change */
	size_t window;		 /* of this search */
	struct distribution_change *out; /* ascending */
	size_t n_out;
};

static void search_free(struct search *s)
{
	edpelt_free(s->edpelt);
	free(s->scale);
	free(s->index);
	free(s->aside);
}

static int search_new(struct search *s)
{
	size_t window = s->window, d = s->d;

	s->edpelt = edpelt_new(window);
	s->scale = calloc(2 * d + (window + 1) * d + 4 * window, sizeof(*s->scale));
	s->index = calloc(window + 1, sizeof(*s->index));
	s->aside = calloc(2 * window + 1, sizeof(*s->aside));
	if (!s->edpelt || !s->scale || !s->index || !s->aside) {
		search_free(s);
		return -ENOMEM;
	}
	s->p = s->scale + d;
	s->sums = s->p + d;
	s->column = s->sums + (window + 1) * d;
	s->sample = s->column + 2 * window;
	return 0;
}

static double value_at(const struct search *s, size_t run, size_t quantile)
{
	return s->vectors[run * s->d + quantile];
}

/* A sample of the series is enough for a standard deviation. */
#define SAMPLE 128

/*
 * The standard deviation of a quantile, by the mean of the differences of neighbours
 * without the largest tenth, which are steps and outliers. A quantile between two modes
 * jumps from run to run, and so has a large one.
 */
static double scale_of(const struct search *s, size_t quantile)
{
	double differences[SAMPLE], sum = 0;
	size_t n = s->n - 1 < SAMPLE ? s->n - 1 : SAMPLE, used = n - n / 10;

	for (size_t i = 0; i < n; i++) {
		size_t at = i * (s->n - 1) / n;

		differences[i] =
			fabs(value_at(s, at + 1, quantile) - value_at(s, at, quantile));
	}
	gsl_sort(differences, 1, n);
	for (size_t i = 0; i < used; i++)
		sum += differences[i];
	/* 0.93: of normal values. */
	return fmax(sum / (double)used / 0.93, s->rules->least / 8);
}

/* The median of nine runs of a window. */
static double center_of(const struct search *s, size_t start, size_t n, size_t quantile)
{
	double near[9] = { 0 };

	for (size_t i = 0; i < 9; i++) {
		double value = value_at(s, start + i * (n - 1) / 8, quantile);
		size_t at = i;

		for (; at && near[at - 1] > value; at--)
			near[at] = near[at - 1];
		near[at] = value;
	}
	return near[4];
}

/*
 * Sets suspect[q] for each quantile whose mean differs before and after some run of the
 * window: by half of the least change, and by 3.5 standard errors. Values are cut off, so
 * that an outlier looks like a change only if it is alone, on a side of one run.
 */
#define CUT	6
#define SUSPECT 3.5

static bool screen(const struct search *s, size_t start, size_t n, bool *suspect)
{
	size_t d = s->d;
	bool any = false;

	for (size_t q = 0; q < d; q++) {
		double reach = CUT * s->scale[q], center = center_of(s, start, n, q);
		const double *value = s->vectors + start * d + q;
		double *sum = s->sums + q;

		suspect[q] = false;
		sum[0] = 0;
		for (size_t i = 0; i < n; i++) {
			double x = value[i * d] - center;

			x = x > reach ? reach : x < -reach ? -reach : x;
			sum[(i + 1) * d] = sum[i * d] + x;
		}
	}
	for (size_t t = DISTRIBUTION_RUNS; t + DISTRIBUTION_RUNS <= n; t++) {
		double part = (double)t / (double)n;
		double weight = 1 / (part * (double)(n - t));

		for (size_t q = 0; q < d; q++) {
			double sum = fabs(s->sums[t * d + q] - part * s->sums[n * d + q]);

			if (sum * weight < s->rules->least / 2 ||
			    sum * sum * weight <
				    SUSPECT * SUSPECT * s->scale[q] * s->scale[q])
				continue;
			suspect[q] = any = true;
		}
	}
	return any;
}

/* Inserts an index in order, unless present. */
static void add(struct search *s, size_t index)
{
	size_t k = s->n_out;

	while (k && s->out[k - 1].index >= index)
		k--;
	if (k < s->n_out && s->out[k].index == index)
		return;
	memmove(&s->out[k + 1], &s->out[k], (s->n_out - k) * sizeof(*s->out));
	s->out[k] = (struct distribution_change){ .index = index };
	s->n_out++;
}

/* Proposes the changes of a quantile in a window. */
static void propose(struct search *s, size_t start, size_t n, size_t quantile)
{
	size_t found;

	for (size_t i = 0; i < n; i++)
		s->column[i] = value_at(s, start + i, quantile);
	edpelt_search(s->edpelt, s->column, n, DISTRIBUTION_RUNS, s->index, &found);
	for (size_t k = 0; k < found; k++)
		add(s, start + s->index[k]);
}

static void split(struct search *s, bool *suspect)
{
	size_t last = 0;

	for (size_t start = 0; start + 2 * DISTRIBUTION_RUNS <= s->n;) {
		size_t n = s->n - start < s->window ? s->n - start : s->window;

		if (!suspect) {
			propose(s, start, n, 0);
		} else if (screen(s, start, n, suspect)) {
			for (size_t q = 0; q < s->d; q++)
				if (suspect[q])
					propose(s, start, n, q);
		}
		if (s->n_out)
			last = s->out[s->n_out - 1].index;
		if (start + n == s->n)
			break;
		start = last > start + s->window / 2 ? last : start + s->window / 2;
	}
}

/* The p of the rank sum of x: exact for few values, else by the normal distribution. */
#define EXACT 10

static double rank_p(const double *x, size_t n_x, const double *y, size_t n_y)
{
	struct stats_mann_whitney test;
	double u = 0, ties = 0, a = (double)n_x, b = (double)n_y, all = a + b, z;
	size_t i = 0, j = 0;

	if (n_x < EXACT || n_y < EXACT) {
		int rc = n_x <= n_y ? stats_mann_whitney(x, n_x, y, n_y, &test)
				    : stats_mann_whitney(y, n_y, x, n_x, &test);

		return rc ? 1 : test.p;
	}
	/* Both are sorted: groups of equal values in turn. */
	while (i < n_x || j < n_y) {
		double value = j == n_y || (i < n_x && x[i] < y[j]) ? x[i] : y[j], t;
		size_t from_x = i, from_y = j;

		while (i < n_x && x[i] == value)
			i++;
		while (j < n_y && y[j] == value)
			j++;
		t = (double)(i - from_x + j - from_y);
		ties += t * t * t - t;
		u += (double)(i - from_x) * ((double)from_y + (double)(j - from_y) / 2);
	}
	z = a * b / 12 * (all + 1 - ties / (all * (all - 1)));
	if (!(z > 0))
		return 1;
	z = (fabs(u - a * b / 2) - 0.5) / sqrt(z);
	return z > 0 ? 2 * gsl_cdf_ugaussian_Q(z) : 1;
}

/* Whether one of the quartiles of two sorted samples moves by `least`. */
static bool moves(const double *x, size_t n_x, const double *y, size_t n_y, double least)
{
	for (int q = 1; q <= 3; q++)
		if (fabs(stats_quantile_sorted(x, n_x, q / 4.0) -
			 stats_quantile_sorted(y, n_y, q / 4.0)) >= least)
			return true;
	return false;
}

/* Sums of the runs of a side, in order, around their mean. */
struct side {
	double mean, squares, neighbours; /* products of neighbours */
};

static struct side side_of(const double *values, size_t n)
{
	struct side s = { 0 };

	for (size_t i = 0; i < n; i++)
		s.mean += values[i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		double apart = values[i] - s.mean;

		s.squares += apart * apart;
		if (i)
			s.neighbours += apart * (values[i - 1] - s.mean);
	}
	return s;
}

/* n Var(mean) of n values of an AR(1) process with variance 1. */
static double ar_sum(double ar, size_t n)
{
	double inflation = stats_ar_inflation(ar, n);

	return inflation * (double)n / ((double)n - 1 + inflation);
}

/*
 * The p of the difference of two means, where each run resembles the one before: the tail
 * of the events drifts from run to run, and ranks take a drift for a change. The
 * autocorrelation is that of both sides around their own means, which ED-PELT chose to be
 * apart: p must be below a tenth of `pvalue`.
 */
#define DRIFT_P 0.1

static double drift_p(const struct side *x, size_t n_x, const struct side *y, size_t n_y)
{
	size_t n = n_x + n_y;
	double squares = x->squares + y->squares;
	double ar, sum_x, sum_y, variance, df;

	if (!(squares > 0))
		return 0;
	/* Two means bias it as twice as many runs would by each. */
	ar = stats_ar_of_lag1((x->neighbours + y->neighbours) / squares, n / 2);
	sum_x = ar_sum(ar, n_x);
	sum_y = ar_sum(ar, n_y);
	df = fmax(1, stats_ar_df(ar, n) - 1);
	variance = squares / ((double)n - sum_x - sum_y) *
		   (sum_x / (double)n_x + sum_y / (double)n_y);
	return 2 * gsl_cdf_tdist_Q(fabs(x->mean - y->mean) / sqrt(variance), df);
}

/*
 * Simes's p of the tests of d quantiles: quantiles that move together need less each (An
 * Improved Bonferroni Procedure, 1986). Sorts `p`.
 */
static double simes(double *p, size_t d)
{
	double best = 1;

	gsl_sort(p, 1, d);
	for (size_t k = 0; k < d; k++)
		best = fmin(best, p[k] * (double)d / (double)(k + 1));
	return best;
}

/* The p of change k between its neighbours. */
static double test_at(struct search *s, size_t k)
{
	size_t at = s->out[k].index, from = k ? s->out[k - 1].index : 0;
	size_t to = k + 1 < s->n_out ? s->out[k + 1].index : s->n;

	if (at - from > s->window)
		from = at - s->window;
	if (to - at > s->window)
		to = at + s->window;
	for (size_t q = 0; q < s->d; q++) {
		double *x = s->sample, *y = s->sample + s->window;
		struct side before, after;
		size_t n_x, n_y;

		for (size_t i = from; i < to; i++)
			s->column[i - from] = value_at(s, i, q);
		n_x = outliers_drop(s->column, at - from, s->aside, x);
		n_y = outliers_drop(s->column + (at - from), to - at, s->aside, y);
		before = side_of(x, n_x);
		after = side_of(y, n_y);
		gsl_sort(x, 1, n_x);
		gsl_sort(y, 1, n_y);
		s->p[q] = 1;
		if (moves(x, n_x, y, n_y, s->rules->least))
			s->p[q] = rank_p(x, n_x, y, n_y);
		/* Between the modes of runs, means do not tell. */
		if (s->d > 1 && s->p[q] < s->rules->pvalue)
			s->p[q] = fmax(s->p[q],
				       drift_p(&before, n_x, &after, n_y) / DRIFT_P);
	}
	return simes(s->p, s->d);
}

/*
 * Removes what is not significant. A pass removes the changes that are weaker than their
 * neighbours, which are then tested again; the last pass removes all weak ones, so that
 * there are at most PASSES tests of a change.
 */
#define PASSES 64

static void merge(struct search *s)
{
	const double limit = s->rules->pvalue;

	for (size_t k = 0; k < s->n_out; k++)
		s->out[k].pvalue = test_at(s, k);
	for (int pass = 1; pass <= PASSES; pass++) {
		size_t kept = 0, before = s->n_out;
		bool removed = false; /* the one before */
		double left = -1;

		for (size_t k = 0; k < before; k++) {
			double p = s->out[k].pvalue;
			double right = k + 1 < before ? s->out[k + 1].pvalue : -1;
			bool weakest = p >= right && p > left;

			left = p;
			if (p >= limit && (weakest || pass == PASSES)) {
				if (kept)
					s->out[kept - 1].pvalue = NAN;
				removed = true;
				continue;
			}
			s->out[kept] = s->out[k];
			if (removed)
				s->out[kept].pvalue = NAN;
			removed = false;
			kept++;
		}
		s->n_out = kept;
		if (kept == before)
			break;
		/* Only those with another neighbour. */
		for (size_t k = 0; k < kept; k++)
			if (isnan(s->out[k].pvalue))
				s->out[k].pvalue = test_at(s, k);
	}
}

static int find(struct search *s, size_t *n_out)
{
	bool *suspect = NULL;
	int err = search_new(s);

	*n_out = 0;
	if (err)
		return err;
	if (s->d > 1) {
		suspect = calloc(s->d, sizeof(*suspect));
		if (!suspect) {
			search_free(s);
			return -ENOMEM;
		}
		for (size_t q = 0; q < s->d; q++)
			s->scale[q] = scale_of(s, q);
	}
	split(s, suspect);
	merge(s);
	*n_out = s->n_out;
	free(suspect);
	search_free(s);
	return 0;
}

int distribution_find(const double *vectors, size_t n, size_t d,
		      const struct distribution_rules *rules,
		      struct distribution_change *out, size_t *n_out)
{
	struct search s = { .vectors = vectors,
			    .n = n,
			    .d = d,
			    .rules = rules,
			    .window = rules->window,
			    .out = out };

	*n_out = 0;
	return n < 2 * DISTRIBUTION_RUNS ? 0 : find(&s, n_out);
}

/* The figures of runs say less than quantiles: more runs, and a smaller p, as ED-PELT
 * chooses among many changes. */
#define RUNS_WINDOWS 4
#define RUNS_P	     0.1
#define FAR	     8
#define FAR_SHARE    10

/*
 * Whether more than a tenth of a sample of the runs is far from the median. Between two
 * modes, up to half of the differences of neighbours are jumps: the standard deviation is
 * by their lower quartile, which is 0.45 of it in normal values.
 */
static bool has_modes(const double *values, size_t n, double least)
{
	double sample[SAMPLE], work[SAMPLE], median, reach;
	size_t m = n < SAMPLE ? n : SAMPLE, many = 0;

	for (size_t i = 0; i < m; i++)
		work[i] = sample[i] = values[i * n / m];
	median = stats_median(work, m);
	for (size_t i = 0; i + 1 < m; i++)
		work[i] = fabs(values[i * n / m + 1] - sample[i]);
	gsl_sort(work, 1, m - 1);
	reach = fmax(FAR * stats_quantile_sorted(work, m - 1, 0.25) / 0.45, least);
	for (size_t i = 0; i < m; i++)
		many += fabs(sample[i] - median) > reach;
	return many * FAR_SHARE > m;
}

int distribution_of_runs(const double *values, size_t n,
			 const struct distribution_rules *rules,
			 struct distribution_change *out, size_t *n_out)
{
	const struct distribution_rules own = {
		.window = rules->window,
		.pvalue = RUNS_P * rules->pvalue,
		.least = rules->least,
	};
	struct search s = { .vectors = values,
			    .n = n,
			    .d = 1,
			    .rules = &own,
			    .window = RUNS_WINDOWS * rules->window,
			    .out = out };

	*n_out = 0;
	if (n < 2 * DISTRIBUTION_RUNS || !has_modes(values, n, rules->least))
		return 0;
	return find(&s, n_out);
}
