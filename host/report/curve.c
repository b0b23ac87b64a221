/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merges the histograms of boots and prints them as curves. */
#include "host/report/curve.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "host/result/result.h"

#define POINTS_MAX 2000

struct histogram curve_merge(const struct result_metric *m)
{
	struct histogram all = { .bits = HISTOGRAM_BITS };

	if (m->n_boots)
		all.bits = m->boots[0].histogram.bits;
	for (size_t i = 0; i < m->n_boots; i++) {
		struct histogram sum;
		int err;

		if (!m->boots[i].valid)
			continue;
		err = histogram_merge(&all, &m->boots[i].histogram, &sum);
		if (err == -ENOMEM)
			abort();
		if (err)
			continue;
		free(all.bins);
		all = sum;
	}
	if (!all.n_bins) {
		free(all.bins);
		all.bins = NULL;
	}
	return all;
}

/* The middle of a bin. */
static double value_of(const struct histogram *h, size_t bin)
{
	int64_t low = h->bins[bin].low;
	double half = ((double)histogram_width(low, h->bits) - 1) / 2;

	return (double)low + (low < 0 ? -half : half);
}

double curve_quantile(const struct histogram *h, double q)
{
	double want = q * (double)histogram_total(h), have = 0;

	for (size_t i = 0; i < h->n_bins; i++) {
		have += (double)h->bins[i].count;
		if (have >= want)
			return value_of(h, i);
	}
	return NAN;
}

/* Whether a bin's point is drawn: at most POINTS_MAX, at equal distances. */
static int is_drawn(const struct histogram *h, size_t bin)
{
	size_t stride = h->n_bins / POINTS_MAX + 1;

	return bin % stride == 0 || bin == h->n_bins - 1;
}

void curve_print_cumulative(FILE *f, const struct histogram *h, double from)
{
	double total = (double)histogram_total(h), have = 0;

	fprintf(f, "%.9g 0\n", from);
	for (size_t i = 0; i < h->n_bins; i++) {
		have += (double)h->bins[i].count;
		if (is_drawn(h, i))
			fprintf(f, "%.9g %.9g\n", value_of(h, i), 100 * have / total);
	}
}

void curve_print_tail(FILE *f, const struct histogram *h)
{
	double total = (double)histogram_total(h), left = total;

	for (size_t i = 0; i < h->n_bins; i++) {
		if (is_drawn(h, i))
			fprintf(f, "%.9g %.9g\n", value_of(h, i), 100 * left / total);
		left -= (double)h->bins[i].count;
	}
}
