/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BCa bootstrap intervals of a sample, and of boots that contain events. */
#include "host/stats/bootstrap.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>

#include "host/stats/summary.h"

#define RESAMPLES_MIN 100

struct work {
	gsl_rng *rng;
	double *values;	   /* room for a resample */
	double *estimates; /* one per resample */
};

static int work_make(struct work *w, size_t n, size_t resamples, uint64_t seed)
{
	w->rng = gsl_rng_alloc(gsl_rng_mt19937);
	w->values = reallocarray(NULL, n, sizeof(*w->values));
	w->estimates = reallocarray(NULL, resamples, sizeof(*w->estimates));
	if (!w->rng || !w->values || !w->estimates)
		return -ENOMEM;
	gsl_rng_set(w->rng, (unsigned long)seed);
	return 0;
}

static void work_free(struct work *w)
{
	if (w->rng)
		gsl_rng_free(w->rng);
	free(w->values);
	free(w->estimates);
}

/* z0: normal quantile of the share of resamples below the estimate; ties count half. */
static double bias_of(const double *sorted, size_t n, double estimate)
{
	double below = 0;

	for (size_t i = 0; i < n; i++)
		below += sorted[i] < estimate ? 1 : sorted[i] == estimate ? 0.5 : 0;
	/* z0 must be finite. */
	below = fmin(fmax(below, 0.5), (double)n - 0.5);
	return gsl_cdf_ugaussian_Pinv(below / (double)n);
}

/* a: from the skewness of the jackknife estimates. */
static double acceleration_of(const double *left_out, size_t n)
{
	double mean = 0, squares = 0, cubes = 0;

	for (size_t i = 0; i < n; i++)
		mean += left_out[i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		double d = mean - left_out[i];

		squares += d * d;
		cubes += d * d * d;
	}
	return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

/* The quantile of the resamples for the normal quantile z. */
static double corrected(const struct stats_bootstrap *b, double z)
{
	double sum = b->bias + z;

	return gsl_cdf_ugaussian_P(b->bias + sum / (1 - b->acceleration * sum));
}

static void interval(double *estimates, size_t n, double level,
		     struct stats_bootstrap *out)
{
	double z = gsl_cdf_ugaussian_Pinv((1 + level) / 2);

	gsl_sort(estimates, 1, n);
	out->bias = bias_of(estimates, n, out->estimate);
	out->lo = stats_quantile_sorted(estimates, n, corrected(out, -z));
	out->hi = stats_quantile_sorted(estimates, n, corrected(out, z));
}

int stats_bootstrap(const double *values, size_t n, stats_statistic *statistic,
		    double level, size_t resamples, uint64_t seed,
		    struct stats_bootstrap *out)
{
	struct work w = { NULL, NULL, NULL };
	double *left_out;
	int rc;

	if (n < 2 || resamples < RESAMPLES_MIN)
		return -ERANGE;
	left_out = reallocarray(NULL, n, sizeof(*left_out));
	rc = work_make(&w, n, resamples, seed);
	if (rc || !left_out) {
		work_free(&w);
		free(left_out);
		return -ENOMEM;
	}
	memcpy(w.values, values, n * sizeof(*values));
	out->estimate = statistic(w.values, n);
	for (size_t i = 0; i < n; i++) {
		memcpy(w.values, values, i * sizeof(*values));
		memcpy(w.values + i, values + i + 1, (n - i - 1) * sizeof(*values));
		left_out[i] = statistic(w.values, n - 1);
	}
	out->acceleration = acceleration_of(left_out, n);
	for (size_t r = 0; r < resamples; r++) {
		for (size_t i = 0; i < n; i++)
			w.values[i] = values[gsl_rng_uniform_int(w.rng, n)];
		w.estimates[r] = statistic(w.values, n);
	}
	interval(w.estimates, resamples, level, out);
	work_free(&w);
	free(left_out);
	return 0;
}

struct stats_events stats_events_middle(const double *sorted, size_t n)
{
	/* The rank of a resampled median has a standard deviation of sqrt(n) / 2. */
	size_t reach = 4 * (size_t)ceil(sqrt((double)n)) + 1;
	size_t first = n / 2 > reach ? n / 2 - reach : 0;
	size_t end = n - n / 2 > reach ? n / 2 + reach : n;
	struct stats_events e = {
		.n = n,
		.median = stats_quantile_sorted(sorted, n, 0.5),
		.first = first,
	};

	e.middle = reallocarray(NULL, end - first, sizeof(*sorted));
	if (!e.middle)
		return e;
	memcpy(e.middle, sorted + first, (end - first) * sizeof(*sorted));
	e.kept = end - first;
	return e;
}

/* The event at the quantile `u` of a boot. */
static double event_at(const struct stats_events *boot, double u)
{
	size_t rank = (size_t)(u * (double)boot->n);

	if (rank < boot->first)
		return boot->middle[0];
	if (rank >= boot->first + boot->kept)
		return boot->middle[boot->kept - 1];
	return boot->middle[rank - boot->first];
}

/*
 * The median of n events drawn with replacement. The k-th smallest of n uniform numbers
 * is Beta(k, n + 1 - k); the next one is the smallest of n - k in the rest above it.
 */
static double drawn_median(gsl_rng *rng, const struct stats_events *boot)
{
	double n = (double)boot->n, k = floor((n + 1) / 2);
	double u = gsl_ran_beta(rng, k, n + 1 - k), above;

	if (boot->n % 2)
		return event_at(boot, u);
	above = u + (1 - u) * gsl_ran_beta(rng, 1, n - k);
	return (event_at(boot, u) + event_at(boot, above)) / 2;
}

static double boots_median(const struct stats_events *boots, size_t n, size_t without,
			   double *medians)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (i != without)
			medians[m++] = boots[i].median;
	return stats_median(medians, m);
}

int stats_bootstrap_boots(const struct stats_events *boots, size_t n, double level,
			  size_t resamples, uint64_t seed, struct stats_bootstrap *out)
{
	struct work w = { NULL, NULL, NULL };
	double *left_out;
	int rc;

	if (n < 2 || resamples < RESAMPLES_MIN)
		return -ERANGE;
	for (size_t i = 0; i < n; i++)
		if (!boots[i].kept)
			return -ERANGE;
	left_out = reallocarray(NULL, n, sizeof(*left_out));
	rc = work_make(&w, n, resamples, seed);
	if (rc || !left_out) {
		work_free(&w);
		free(left_out);
		return -ENOMEM;
	}
	out->estimate = boots_median(boots, n, n, w.values);
	for (size_t i = 0; i < n; i++)
		left_out[i] = boots_median(boots, n, i, w.values);
	out->acceleration = acceleration_of(left_out, n);
	for (size_t r = 0; r < resamples; r++) {
		for (size_t i = 0; i < n; i++)
			w.values[i] = drawn_median(w.rng,
						   &boots[gsl_rng_uniform_int(w.rng, n)]);
		w.estimates[r] = stats_median(w.values, n);
	}
	interval(w.estimates, resamples, level, out);
	work_free(&w);
	free(left_out);
	return 0;
}
