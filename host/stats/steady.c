/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steady state, autocorrelation and modes of the events of a boot. */
#include "host/stats/steady.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

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
