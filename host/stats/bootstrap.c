/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BCa bootstrap intervals of a sample, and of boots that contain events; steady state,
 * autocorrelation and modes of the events of a boot.
 */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/two_sample.h"
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

/* Least share of the events in a mode. */
#define MODE_SHARE   0.05
/* Between two modes, the count is below this share of the lower peak. */
#define VALLEY_SHARE 0.5
/* Least height of a peak above a valley, in standard deviations of its count. */
#define PEAK_SIGMAS  4

/* Share of the events on each side that no mode contains. */
#define TAIL	  0.025
#define CELLS_MAX 400

double stats_autocorrelation(const double *values, size_t n)
{
	double mean = 0, squares = 0, products = 0;

	if (n < 3)
		return NAN;
	for (size_t i = 0; i < n; i++)
		mean += (values[i] - mean) / (double)(i + 1);
	for (size_t i = 0; i < n; i++) {
		double d = values[i] - mean;

		squares += d * d;
		products += i + 1 < n ? d * (values[i + 1] - mean) : 0;
	}
	return squares > 0 ? products / squares : NAN;
}

int stats_halves(const double *values, size_t n, struct stats_halves *out)
{
	const double *second = values + n - n / 2;
	struct stats_mann_whitney test;
	double *copy;
	int rc;

	*out = (struct stats_halves){ NAN, NAN, NAN };
	if (n < 4)
		return 0;
	rc = stats_mann_whitney(values, n / 2, second, n / 2, &test);
	if (rc)
		return rc;
	copy = reallocarray(NULL, n / 2, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	out->p = test.p;
	memcpy(copy, values, n / 2 * sizeof(*copy));
	out->first = stats_median(copy, n / 2);
	memcpy(copy, second, n / 2 * sizeof(*copy));
	out->second = stats_median(copy, n / 2);
	free(copy);
	return 0;
}

/* Smoothed counts of the events between the tails, in cells of equal width. */
struct cells {
	const double *sorted; /* without the tails */
	size_t n;
	double low, width;
	double count[CELLS_MAX + 2]; /* an empty cell at each end */
	size_t n_cells;
};

static size_t cell_of(const struct cells *c, double value)
{
	size_t i = (size_t)((value - c->low) / c->width);

	return 1 + (i < c->n_cells ? i : c->n_cells - 1);
}

static void fill_cells(struct cells *c, double apart)
{
	double range = c->sorted[c->n - 1] - c->sorted[0];
	double left = 0;

	c->low = c->sorted[0];
	/* Half of `apart`, so that smoothing does not join two modes. */
	c->width = fmax(apart / 2, range / CELLS_MAX);
	c->n_cells = c->width > 0 ? (size_t)(range / c->width) + 1 : 1;
	if (c->n_cells > CELLS_MAX)
		c->n_cells = CELLS_MAX;
	if (!(c->width > 0))
		c->width = 1;
	for (size_t i = 0; i < c->n; i++)
		c->count[cell_of(c, c->sorted[i])]++;
	for (size_t i = 1; i <= c->n_cells; i++) {
		double here = c->count[i];

		c->count[i] = (left + 2 * here + c->count[i + 1]) / 4;
		left = here;
	}
}

static bool is_valley(double valley, double peak)
{
	return valley < VALLEY_SHARE * peak && peak - valley > PEAK_SIGMAS * sqrt(peak);
}

/*
 * The cells between modes. A peak counts if a valley follows, and a valley if a peak
 * follows.
 */
static size_t find_valleys(const struct cells *c, size_t valleys[STATS_MODES_MAX])
{
	double peak = 0, valley = INFINITY;
	size_t n = 0, lowest = 0;

	for (size_t i = 1; i <= c->n_cells; i++) {
		double here = c->count[i];

		if (here > peak && isinf(valley)) {
			peak = here;
		} else if (is_valley(here, peak) && here < valley) {
			valley = here;
			lowest = i;
		} else if (is_valley(valley, here) && n + 1 < STATS_MODES_MAX) {
			valleys[n++] = lowest;
			peak = here;
			valley = INFINITY;
		}
	}
	return n;
}

static void add_mode(const struct cells *c, size_t from, size_t to, size_t all,
		     struct stats_modes *out)
{
	double share = (double)(to - from) / (double)all;

	if (share < MODE_SHARE)
		return;
	out->mode[out->n].value = stats_quantile_sorted(c->sorted + from, to - from, 0.5);
	out->mode[out->n].share = share;
	out->n++;
}

int stats_modes(const double *sorted, size_t n, double apart, struct stats_modes *out)
{
	size_t tail = (size_t)((double)n * TAIL), from = 0, n_valleys, i;
	size_t valleys[STATS_MODES_MAX];
	struct cells *c;

	*out = (struct stats_modes){ 0 };
	if (!n)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->sorted = sorted + tail;
	c->n = n - 2 * tail;
	fill_cells(c, apart);
	n_valleys = find_valleys(c, valleys);
	for (size_t v = 0; v < n_valleys; v++) {
		for (i = from; i < c->n && cell_of(c, c->sorted[i]) <= valleys[v];)
			i++;
		add_mode(c, from, i, n, out);
		from = i;
	}
	add_mode(c, from, c->n, n, out);
	free(c);
	return 0;
}
