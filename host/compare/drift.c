/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Noise within a run: the drift of the machine, and what a row's boots depend on. */
#include "host/compare/compare_rules.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

#include "host/stats/two_sample.h"
#include "host/stats/summary.h"

#define METRIC "round_trip"

/* Least rounds for a standard deviation, and for an autocorrelation. */
#define ROUNDS_MIN 3
#define LAG1_MIN   4

/* Upper 99 % limit of the shared part, in standard errors. */
#define UPPER 2.326

/* In nine of ten runs, their correlation is at most so many standard errors higher. */
#define AGAIN 1.282

/*
 * The rows together say much about the correlation of their own parts: one standard
 * error. Without it, own noise with AR(0.9) makes 2.6 % of comparisons false, as the
 * variance of the mean rises steeply with the correlation there.
 */
#define UPPER_OWN 1

/*
 * Pairs can be `worse`, and two runs only `worse?`: two standard errors, less by the
 * share of PAIRS_FEW in all pairs. Ten pairs of one row, which the limit would make
 * useless, are widened by less than the estimate, and 20 by most of the limit.
 */
#define UPPER_PAIRS 2
#define UPPER_LEAST -0.5
#define PAIRS_FEW   25

/* The mean of correlated rounds is at most this many times as variable as one round. */
#define INFLATION_MAX 2

/* Values beyond this many standard deviations (by the MAD) are drawn in. */
#define CLIP 3

/* Limits of the table: a document can have any number of rows and boots. */
#define ROUNDS_MAX 1000
#define ROWS_MAX   1000

/* ln(boot / its row's level) by round and row; NAN: no such boot. */
struct table {
	double *cells;
	size_t rows, rounds;
};

static void *room(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

static bool usable(const struct result_boot *boot)
{
	return boot && boot->valid && boot->summary.p50 > 0;
}

/* ln of the boots of a row, or of the ratios of its pairs, less their median. */
struct logs {
	double *values;
	uint32_t *rounds;
	size_t n; /* 0: too few boots */
};

static struct logs logs_of(const struct drift_row *row)
{
	const struct result_metric *m = row->boots;
	struct logs out = {
		.values = room(m->n_boots, sizeof(*out.values)),
		.rounds = room(m->n_boots, sizeof(*out.rounds)),
	};
	double *work = room(m->n_boots, sizeof(*work)), level;

	for (size_t i = 0; i < m->n_boots; i++) {
		const struct result_boot *boot = &m->boots[i], *other = boot;

		if (row->others)
			other = compare_boot_at(row->others, boot->index, i);
		if (!usable(boot) || !usable(other))
			continue;
		out.rounds[out.n] = boot->index;
		out.values[out.n] = log(boot->summary.p50);
		if (row->others)
			out.values[out.n] -= log(other->summary.p50);
		work[out.n] = out.values[out.n];
		out.n++;
	}
	if (out.n < ROUNDS_MIN)
		out.n = 0;
	level = out.n ? stats_median(work, out.n) : 0;
	free(work);
	for (size_t i = 0; i < out.n; i++)
		out.values[i] -= level;
	return out;
}

static void logs_free(struct logs *l)
{
	free(l->values);
	free(l->rounds);
}

static void add_row(struct table *t, const struct drift_row *row)
{
	struct logs logs = logs_of(row);

	for (size_t i = 0; i < ROUNDS_MAX && logs.n; i++)
		t->cells[i * ROWS_MAX + t->rows] = NAN;
	for (size_t i = 0; i < logs.n; i++) {
		uint32_t round = logs.rounds[i];

		if (round >= ROUNDS_MAX)
			continue;
		t->cells[round * ROWS_MAX + t->rows] = logs.values[i];
		if (round >= t->rounds)
			t->rounds = round + 1;
	}
	t->rows += logs.n > 0;
	logs_free(&logs);
}

/* The median over the rows of a round; NAN: no row has a boot in the round. */
static double common(const struct table *t, size_t round)
{
	double values[ROWS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < t->rows; i++)
		if (!isnan(t->cells[round * ROWS_MAX + i]))
			values[n++] = t->cells[round * ROWS_MAX + i];
	return n ? stats_median(values, n) : NAN;
}

/* Draws outliers in, so that one boot decides neither a variance nor a correlation. */
static void clip(double *values, size_t n, double *work)
{
	double middle, reach;

	for (size_t i = 0; i < n; i++)
		work[i] = values[i];
	middle = stats_median(work, n);
	for (size_t i = 0; i < n; i++)
		work[i] = fabs(values[i] - middle);
	reach = CLIP * 1.4826 * stats_median(work, n);
	for (size_t i = 0; i < n && reach > 0; i++)
		values[i] = fmin(fmax(values[i], middle - reach), middle + reach);
}

/* A row's own part in the order of the rounds: variance, and correlation; n: boots. */
struct own {
	double variance, lag1;
	size_t n;
};

static struct own own_of(double *values, size_t n, double *work)
{
	struct own own = { .n = n, .lag1 = NAN };

	if (n < ROUNDS_MIN)
		return own;
	clip(values, n, work);
	own.variance = gsl_stats_variance(values, 1, n);
	own.lag1 = n < LAG1_MIN ? NAN : stats_autocorrelation(values, n);
	return own;
}

/* In standard errors, of a correlation that all rows show with so many boots. */
static double upper_own(const struct drift *d, double boots)
{
	return d->pairs ? fmax(UPPER_LEAST, UPPER_PAIRS - PAIRS_FEW / boots) : UPPER_OWN;
}

/* Upper limit of the correlation, its spread over the rows beyond chance, the prior. */
static void learn_own(struct drift *d, const struct table *t)
{
	double *values = room(t->rounds, sizeof(*values)),
	       *work = room(t->rounds, sizeof(*work)),
	       *variances = room(t->rows, sizeof(*variances)),
	       *lag1s = room(t->rows, sizeof(*lag1s)), squares = 0, products = 0,
	       boots = 0, ar;
	size_t n = 0, rows = 0;

	for (size_t i = 0; i < t->rows; i++) {
		struct own own;
		size_t k = 0;

		for (size_t r = 0; r < t->rounds; r++)
			if (!isnan(t->cells[r * ROWS_MAX + i]))
				values[k++] = t->cells[r * ROWS_MAX + i] - d->common[r];
		own = own_of(values, k, work);
		/* A row without a variance is not a row without noise. */
		if (own.n < ROUNDS_MIN)
			continue;
		boots += (double)k;
		variances[rows++] = own.variance;
		if (isnan(own.lag1))
			continue;
		lag1s[n++] = own.lag1;
		/* Ratio of the sums: the mean of the ratios is too small. */
		squares += own.variance * (double)(k - 1);
		products += own.lag1 * own.variance * (double)(k - 1);
	}
	if (n && squares > 0) {
		double mean = boots / (double)rows, chance = 1 / mean;
		double spread =
			n > 1 ? fmax(gsl_stats_variance(lag1s, 1, n), chance) : chance;

		d->lag1 = products / squares +
			  upper_own(d, boots) * sqrt(spread / (double)n);
		d->rows = n;
		d->lag1_mean = gsl_stats_mean(lag1s, 1, n);
		d->lag1_weight = (spread - chance) / spread;
		ar = stats_ar_of_lag1(d->lag1, (size_t)mean);
		d->own = stats_prior_fit(variances, rows, stats_ar_df(ar, (size_t)mean),
					 1e-12);
	}
	free(lag1s);
	free(values);
	free(work);
	free(variances);
}

/*
 * Factor of the variance of the mean of `n` rounds. The rounds of one run say little
 * about their correlation: for a test, the upper limit counts.
 */
static double inflation_of(double lag1, size_t n, bool limit)
{
	double ar;

	if (isnan(lag1) || n < LAG1_MIN)
		return INFLATION_MAX * (double)n;
	ar = stats_ar_of_lag1(lag1 + (limit ? UPPER / sqrt((double)n) : 0), n);
	return fmin(stats_ar_inflation(ar, n), INFLATION_MAX * (double)n);
}

struct drift drift_of(const struct result *r)
{
	double rounds[ROUNDS_MAX];
	struct drift d = { 0 };
	struct table t = { 0 };

	if (r->target.exact)
		return d;
	t.cells = room((size_t)ROUNDS_MAX * ROWS_MAX, sizeof(*t.cells));
	d.common = room(ROUNDS_MAX, sizeof(*d.common));
	for (size_t i = 0; i < r->n_benchmarks && t.rows < ROWS_MAX; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];
		const struct drift_row row = { .boots = result_find_metric(b, METRIC) };

		if (row.boots && b->status == RESULT_OK)
			add_row(&t, &row);
	}
	for (size_t i = 0; i < t.rounds; i++) {
		d.common[i] = common(&t, i);
		if (!isnan(d.common[i]))
			rounds[d.rounds++] = d.common[i];
	}
	if (d.rounds >= ROUNDS_MIN) {
		d.sd = gsl_stats_sd(rounds, 1, d.rounds);
		d.rounds_lag1 = d.rounds < LAG1_MIN
					? NAN
					: stats_autocorrelation(rounds, d.rounds);
	}
	learn_own(&d, &t);
	free(t.cells);
	return d;
}

struct drift drift_of_pairs(const struct drift_row *rows, size_t n)
{
	struct drift d = {
		.common = room(ROUNDS_MAX, sizeof(*d.common)),
		.pairs = true,
	};
	struct table t = {
		.cells = room((size_t)ROUNDS_MAX * ROWS_MAX, sizeof(*t.cells)),
	};

	for (size_t i = 0; i < n && t.rows < ROWS_MAX; i++)
		add_row(&t, &rows[i]);
	learn_own(&d, &t);
	free(t.cells);
	return d;
}

void drift_free(struct drift *d)
{
	free(d->common);
	*d = (struct drift){ 0 };
}

struct drift_own drift_own_of(const struct drift *d, const struct drift_row *row)
{
	struct logs logs = logs_of(row);
	size_t n = d->common ? logs.n : 0;
	double *work = room(n, sizeof(*work)), lag1;
	struct drift_own out = { 0 };
	struct stats_prior s;
	struct own own;

	for (size_t i = 0; i < n; i++) {
		uint32_t round = logs.rounds[i];
		double c = round < ROUNDS_MAX ? d->common[round] : 0;

		logs.values[i] -= isnan(c) ? 0 : c;
	}
	own = own_of(logs.values, n, work);
	logs_free(&logs);
	free(work);
	if (n < LAG1_MIN)
		return out;
	lag1 = isnan(own.lag1) ? d->lag1
			       : d->lag1 + d->lag1_weight * (own.lag1 - d->lag1_mean);
	out.boots = n;
	out.ar = stats_ar_of_lag1(lag1, n);
	s = stats_prior_apply(&d->own, own.variance, stats_ar_df(out.ar, n));
	out.variance = s.variance;
	out.df = s.df;
	return out;
}

struct drift_own drift_own_again(const struct drift *d, const struct drift_own *own,
				 size_t boots)
{
	struct drift_own out = *own;
	double all = (double)boots * (double)(d->rows ? d->rows : 1);
	double lag1 = stats_lag1_of_ar(own->ar, boots) +
		      (upper_own(d, all) + AGAIN) / sqrt(all);

	out.boots = boots;
	out.ar = stats_ar_of_lag1(lag1, boots);
	out.df *= stats_ar_df(out.ar, boots) / stats_ar_df(own->ar, own->boots);
	return out;
}

struct drift_between drift_of_row(const struct drift *d, const struct drift_row *row)
{
	struct drift_own own = drift_own_of(d, row);
	double n = (double)own.boots;

	if (!own.boots)
		return (struct drift_between){ 0 };
	return (struct drift_between){
		.sd = sqrt(own.variance / n *
			   (stats_ar_inflation(own.ar, own.boots) - 1)),
		.df = own.df,
	};
}

/* The variance of the mean of n rounds beyond that of independent rounds. */
static double excess(const struct drift *d, double lag1, size_t n, bool limit)
{
	if (!(d->sd > 0) || !n)
		return 0;
	return d->sd * d->sd * (inflation_of(lag1, n, limit) - 1) / (double)n;
}

double drift_excess(const struct drift *d, size_t rounds, bool limit)
{
	double n = (double)rounds;
	/* The expectation of the correlation of n independent values is -1 / n. */
	double lag1 = fmax(0, d->rounds_lag1 + 1 / (double)d->rounds) - 1 / n;

	if (isnan(d->rounds_lag1))
		lag1 = NAN;
	return excess(d, lag1 + (limit ? AGAIN / sqrt(n) : 0), rounds, limit);
}

struct drift_between drift_between(const struct drift *a, const struct drift *b)
{
	struct drift_between d = {
		.sd = sqrt(excess(a, a->rounds_lag1, a->rounds, true) +
			   excess(b, b->rounds_lag1, b->rounds, true)),
	};

	if (a->rounds + b->rounds > 2)
		d.df = (double)(a->rounds + b->rounds - 2);
	return d;
}

double drift_reach(const struct drift_between *d, double level)
{
	if (!(d->sd > 0) || !(d->df > 0))
		return 0;
	return gsl_cdf_tdist_Pinv((1 + level) / 2, d->df) * d->sd;
}
