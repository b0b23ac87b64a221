/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sample: order statistics, moments, the interval of its median; its histogram. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_psi.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>

#include "host/stats/summary.h"

/* Scales the MAD of a normal distribution to its standard deviation. */
#define MAD_SCALE 1.4826

/* Samples that a tail quantile needs beyond it. */
#define TAIL_SAMPLES 10

/*
 * Quantiles in thousandths: the comparison with TAIL_SAMPLES needs integers, as
 * 100 * (1 - 0.9) is less than 10 in doubles.
 */
static const struct quantile {
	unsigned int permille;
	size_t offset;
} quantiles[] = {
	{ 10, offsetof(struct stats_summary, p1) },
	{ 50, offsetof(struct stats_summary, p5) },
	{ 250, offsetof(struct stats_summary, p25) },
	{ 500, offsetof(struct stats_summary, p50) },
	{ 750, offsetof(struct stats_summary, p75) },
	{ 900, offsetof(struct stats_summary, p90) },
	{ 950, offsetof(struct stats_summary, p95) },
	{ 990, offsetof(struct stats_summary, p99) },
	{ 999, offsetof(struct stats_summary, p99_9) },
};

/*
 * Not gsl_stats_quantile_from_sorted_data(): (1 - d) a + d b has a rounding error if a
 * equals b, and figures of exact targets are compared exactly.
 */
double stats_quantile_sorted(const double *sorted, size_t n, double q)
{
	double h = (double)(n - 1) * q;
	size_t i = (size_t)h;

	if (i >= n - 1)
		return sorted[n - 1];
	return sorted[i] + (h - (double)i) * (sorted[i + 1] - sorted[i]);
}

uint64_t stats_step(const int64_t *samples, size_t n, uint64_t so_far)
{
	uint64_t step = so_far;

	for (size_t i = 0; i < n && step != 1; i++) {
		uint64_t value =
			samples[i] < 0 ? -(uint64_t)samples[i] : (uint64_t)samples[i];

		while (value) {
			uint64_t rest = step % value;

			step = value;
			value = rest;
		}
	}
	return step;
}

double stats_median(double *values, size_t n)
{
	gsl_sort(values, 1, n);
	return gsl_stats_median_from_sorted_data(values, 1, n);
}

static bool quantile_is_supported(unsigned int permille, size_t n)
{
	unsigned int beyond = permille > 500 ? 1000 - permille : permille;

	return beyond >= 250 || n >= TAIL_SAMPLES * 1000u / beyond;
}

static void summarize_sorted(const double *sorted, double *work, size_t n,
			     struct stats_summary *out)
{
	out->n = n;
	out->min = sorted[0];
	out->max = sorted[n - 1];
	out->mean = gsl_stats_mean(sorted, 1, n);
	out->sd = n < 2 ? NAN : gsl_stats_sd_m(sorted, 1, n, out->mean);
	out->mad = gsl_stats_mad0(sorted, 1, n, work) * MAD_SCALE;

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const struct quantile *q = &quantiles[i];
		double value = stats_quantile_sorted(sorted, n, q->permille / 1000.0);

		if (quantile_is_supported(q->permille, n))
			memcpy((char *)out + q->offset, &value, sizeof(value));
	}
}

int stats_summarize(const int64_t *samples, size_t n, struct stats_summary *out)
{
	double *sorted;

	*out = (struct stats_summary){
		.min = NAN,
		.max = NAN,
		.mean = NAN,
		.sd = NAN,
		.mad = NAN,
		.p1 = NAN,
		.p5 = NAN,
		.p25 = NAN,
		.p50 = NAN,
		.p75 = NAN,
		.p90 = NAN,
		.p95 = NAN,
		.p99 = NAN,
		.p99_9 = NAN,
	};
	if (n == 0)
		return 0;

	/* The second half is the work space of gsl_stats_mad0(). */
	sorted = reallocarray(NULL, n, 2 * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = (double)samples[i];
	gsl_sort(sorted, 1, n);
	summarize_sorted(sorted, sorted + n, n, out);
	free(sorted);
	return 0;
}

/*
 * Probability that the k-th smallest and the k-th largest of n values (k from 1) cover
 * the median: at least k values are on each side, and each value is below the median
 * with probability 1/2.
 */
static double coverage(size_t k, size_t n)
{
	return 1.0 - 2.0 * gsl_cdf_binomial_P((unsigned int)k - 1, 0.5, (unsigned int)n);
}

int stats_median_interval(double *values, size_t n, double level,
			  struct stats_interval *out)
{
	size_t good = 0, bad = n / 2 + 1;

	if (n > UINT_MAX)
		return -ERANGE;

	/* Coverage decreases with k: find the largest k that reaches `level`. */
	while (bad - good > 1) {
		size_t k = good + (bad - good) / 2;

		if (coverage(k, n) >= level)
			good = k;
		else
			bad = k;
	}
	if (good == 0)
		return -ERANGE;

	gsl_sort(values, 1, n);
	*out = (struct stats_interval){
		.level = level,
		.actual = coverage(good, n),
		.lo = values[good - 1],
		.hi = values[n - good],
	};
	return 0;
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/*
 * Low bits of a magnitude that its bin ignores: none below 2^bits; above, all but the
 * leading one and the next `bits` - 1 bits, so that an octave has 2^(bits - 1) bins.
 */
static unsigned int ignored_bits(uint64_t mag, unsigned int bits)
{
	unsigned int length = mag ? 64 - (unsigned int)__builtin_clzll(mag) : 0;

	return length > bits ? length - bits : 0;
}

int64_t histogram_low(int64_t value, unsigned int bits)
{
	uint64_t mag = magnitude(value);
	unsigned int ignored = ignored_bits(mag, bits);
	uint64_t low = mag >> ignored << ignored;

	return (int64_t)(value < 0 ? -low : low);
}

uint64_t histogram_width(int64_t low, unsigned int bits)
{
	return UINT64_C(1) << ignored_bits(magnitude(low), bits);
}

static int compare_low(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Adds to the last bin, or appends a bin; `low` never decreases. */
static void add_ascending(struct histogram *h, int64_t low, uint64_t count)
{
	if (h->n_bins && h->bins[h->n_bins - 1].low == low)
		h->bins[h->n_bins - 1].count += count;
	else
		h->bins[h->n_bins++] = (struct histogram_bin){ low, count };
}

static size_t count_distinct(const int64_t *sorted, size_t n)
{
	size_t distinct = 0;

	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || sorted[i] != sorted[i - 1];
	return distinct;
}

int histogram_build(const int64_t *samples, size_t n, unsigned int bits,
		    struct histogram *h)
{
	int64_t *lows;

	*h = (struct histogram){ .bits = bits };
	if (n == 0)
		return 0;

	lows = reallocarray(NULL, n, sizeof(*lows));
	if (!lows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		lows[i] = histogram_low(samples[i], bits);
	qsort(lows, n, sizeof(*lows), compare_low);

	h->bins = reallocarray(NULL, count_distinct(lows, n), sizeof(*h->bins));
	if (!h->bins) {
		free(lows);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		add_ascending(h, lows[i], 1);
	free(lows);
	return 0;
}

int histogram_merge(const struct histogram *a, const struct histogram *b,
		    struct histogram *out)
{
	size_t i = 0, j = 0;

	if (a->bits != b->bits)
		return -EINVAL;
	*out = (struct histogram){ .bits = a->bits };
	if (a->n_bins + b->n_bins == 0)
		return 0;
	out->bins = reallocarray(NULL, a->n_bins + b->n_bins, sizeof(*out->bins));
	if (!out->bins)
		return -ENOMEM;

	while (i < a->n_bins || j < b->n_bins) {
		const struct histogram_bin *bin;

		if (j == b->n_bins || (i < a->n_bins && a->bins[i].low < b->bins[j].low))
			bin = &a->bins[i++];
		else
			bin = &b->bins[j++];
		add_ascending(out, bin->low, bin->count);
	}
	return 0;
}

uint64_t histogram_total(const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i < h->n_bins; i++)
		total += h->bins[i].count;
	return total;
}

/* ------------------------------ variances ------------------------------ */

#define LAG1_MIN 4
#define ROWS_MIN 3
/* A variance with a smaller probability under the prior is a row's own. */
#define F_TAIL	 0.01

/* n Var(mean) of a process with variance 1. */
static double sum_of(double ar, size_t n)
{
	double sum = 1, power = 1;

	for (size_t k = 1; k < n; k++) {
		power *= ar;
		sum += 2 * (1 - (double)k / (double)n) * power;
	}
	return sum;
}

double stats_lag1_of_ar(double ar, size_t n)
{
	double m = (double)n, v = sum_of(ar, n), edge, power = 1, sum = 0;

	for (size_t k = 0; k < n; k++, power *= ar)
		sum += power;
	edge = sum / m; /* covariance of the first value and the mean */
	return ((m - 1) * ar - 2 * v + 2 * edge + (m - 1) * v / m) / (m - v);
}

double stats_ar_of_lag1(double lag1, size_t n)
{
	double lo = 0, hi = STATS_AR_MAX;

	if (isnan(lag1) || n < LAG1_MIN || lag1 <= stats_lag1_of_ar(0, n))
		return 0;
	if (lag1 >= stats_lag1_of_ar(STATS_AR_MAX, n))
		return STATS_AR_MAX;
	for (int i = 0; i < 30; i++) {
		double middle = (lo + hi) / 2;

		if (stats_lag1_of_ar(middle, n) < lag1)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

double stats_ar_inflation(double ar, size_t n)
{
	double v = sum_of(ar, n);

	return n < 2 ? 1 : v * ((double)n - 1) / ((double)n - v);
}

double stats_ar_df(double ar, size_t n)
{
	return fmax(2, (double)n * (1 - ar * ar) / (1 + ar * ar) - 1);
}

/* The y with trigamma(y) = x, by Newton's method (Smyth 2004, appendix). */
static double trigamma_inverse(double x)
{
	double y = 0.5 + 1 / x;

	if (x > 1e7)
		return 1 / sqrt(x);
	if (x < 1e-6)
		return 1 / x;
	for (int i = 0; i < 50; i++) {
		double tri = gsl_sf_psi_1(y);
		double step = tri * (1 - tri / x) / gsl_sf_psi_n(2, y);

		y += step;
		if (-step / y < 1e-8)
			break;
	}
	return y;
}

struct stats_prior stats_prior_fit(const double *variances, size_t n, double df,
				   double floor)
{
	double mean = 0, squares = 0, excess, most = (double)(n ? n - 1 : 0) * df;
	struct stats_prior prior = { 0 };

	if (n < ROWS_MIN || !(df > 0))
		return prior;
	for (size_t i = 0; i < n; i++)
		mean += log(fmax(variances[i], floor)) / (double)n;
	for (size_t i = 0; i < n; i++) {
		double apart = log(fmax(variances[i], floor)) - mean;

		squares += apart * apart;
	}
	mean += log(df / 2) - gsl_sf_psi(df / 2);
	/* Of the logarithms, more than chance makes of equal variances. */
	excess = squares / (double)(n - 1) - gsl_sf_psi_1(df / 2);
	prior.df = excess > 0 ? fmin(2 * trigamma_inverse(excess), most) : most;
	prior.variance = exp(mean + gsl_sf_psi(prior.df / 2) - log(prior.df / 2));
	return prior;
}

struct stats_prior stats_prior_apply(const struct stats_prior *prior, double variance,
				     double df)
{
	struct stats_prior own = { variance, df };

	/* Rows with little in common do not speak for each other. */
	if (!(prior->df >= fmax(1, df)) || !(prior->variance > 0))
		return own;
	if (df > 0 && gsl_cdf_fdist_Q(variance / prior->variance, df, prior->df) < F_TAIL)
		return own;
	own.df = df + prior->df;
	own.variance = (df * variance + prior->df * prior->variance) / own.df;
	return own;
}

double stats_df_of_sum(double v1, double df1, double v2, double df2)
{
	double sum = v1 + v2, parts = 0;

	if (v1 > 0)
		parts += v1 * v1 / df1;
	if (v2 > 0)
		parts += v2 * v2 / df2;
	return parts > 0 ? sum * sum / parts : fmax(df1, df2);
}
