/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The distribution of a row: quantiles of the events, which a history keeps per run. */
#include "host/history/row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "host/result/result.h"
#include "host/stats/summary.h"

static const double shares[ROW_MEAN] = {
	[ROW_P5] = 0.05,  [ROW_P25] = 0.25, [ROW_P75] = 0.75,
	[ROW_P90] = 0.90, [ROW_P99] = 0.99,
};

const char *row_quantile_name(enum row_quantile q)
{
	static const char *const names[ROW_QUANTILES] = {
		[ROW_P5] = "p5",   [ROW_P25] = "p25", [ROW_P75] = "p75",
		[ROW_P90] = "p90", [ROW_P99] = "p99", [ROW_MEAN] = "mean",
	};

	return names[q];
}

/* The `low` of the bin is the value nearest to zero. */
static double in_bin(const struct histogram_bin *bin, unsigned int bits, double share)
{
	double width = (double)histogram_width(bin->low, bits);

	if (bin->low < 0)
		return (double)bin->low - (1 - share) * (width - 1);
	return (double)bin->low + share * (width - 1);
}

/* A whole number, which is as exact as a bin. */
static double quantile(const struct histogram *h, double total, double share)
{
	double rank = share * (total - 1), before = 0;

	for (size_t i = 0; i < h->n_bins; i++) {
		double count = (double)h->bins[i].count;

		if (rank < before + count || i + 1 == h->n_bins)
			return round(in_bin(&h->bins[i], h->bits,
					    fmin((rank - before + 0.5) / count, 1)));
		before += count;
	}
	return NAN;
}

/*
 * The mean of the events between the first and the last hundredth, in eighths. `value`:
 * the events in its bin are of this value; NAN: they are in the middle of their bin.
 */
static double trimmed_mean(const struct histogram *h, double total, double value)
{
	double from = 0.01 * total, to = 0.99 * total, before = 0, sum = 0;

	for (size_t i = 0; i < h->n_bins; i++) {
		double after = before + (double)h->bins[i].count;
		double n = fmin(after, to) - fmax(before, from);

		if (n > 0 && !isnan(value) &&
		    histogram_low((int64_t)value, h->bits) == h->bins[i].low)
			sum += n * value;
		else if (n > 0)
			sum += n * in_bin(&h->bins[i], h->bits, 0.5);
		before = after;
	}
	return round(8 * sum / (to - from)) / 8;
}

/* All events of the valid boots; of an exact target, of the first one. */
static bool merge_boots(const struct result_metric *m, bool exact, struct histogram *all)
{
	*all = (struct histogram){ 0 };
	for (size_t i = 0; i < m->n_boots; i++) {
		const struct histogram *h = &m->boots[i].histogram;
		struct histogram before = *all;
		int rc;

		if (!m->boots[i].valid || !h->n_bins)
			continue;
		if (!before.n_bins)
			before.bits = h->bits;
		rc = histogram_merge(&before, h, all);
		free(before.bins);
		if (rc == -ENOMEM)
			store_check(NULL);
		if (rc) /* boots of different precision */
			return false;
		if (exact)
			break;
	}
	return all->n_bins > 0;
}

/* A quantile with fewer events beyond it is omitted. */
#define BEYOND 5

static double known_quantile(const struct stats_summary *s, enum row_quantile q)
{
	const double known[ROW_MEAN] = {
		[ROW_P5] = s->p5,   [ROW_P25] = s->p25, [ROW_P75] = s->p75,
		[ROW_P90] = s->p90, [ROW_P99] = s->p99,
	};

	return known[q];
}

static const struct stats_summary *first_boot(const struct result_metric *m)
{
	for (size_t i = 0; i < m->n_boots; i++)
		if (m->boots[i].valid && m->boots[i].histogram.n_bins)
			return &m->boots[i].summary;
	return NULL;
}

/*
 * On an exact target, the summary of the boot has the quantile, or its bin: a quantile in
 * the bin of the figure is the figure.
 */
static double exact_quantile(const struct stats_summary *s, const struct histogram *h,
			     double value, enum row_quantile q)
{
	double known = known_quantile(s, q), by_bin;

	if (isfinite(known))
		return known;
	by_bin = quantile(h, (double)histogram_total(h), shares[q]);
	return histogram_low((int64_t)by_bin, h->bits) ==
			       histogram_low((int64_t)value, h->bits)
		       ? value
		       : by_bin;
}

void row_distribution(const struct result_metric *m, bool exact,
		      double out[ROW_QUANTILES])
{
	const struct stats_summary *s = first_boot(m);
	struct histogram all;
	double total;

	for (size_t q = 0; q < ROW_QUANTILES; q++)
		out[q] = NAN;
	if (!s || !merge_boots(m, exact, &all))
		return;
	total = (double)histogram_total(&all);
	for (enum row_quantile q = 0; q < ROW_MEAN; q++) {
		if (total * fmin(shares[q], 1 - shares[q]) < BEYOND)
			continue;
		out[q] = exact ? exact_quantile(s, &all, m->value, q)
			       : quantile(&all, total, shares[q]);
		if (out[q] == m->value)
			out[q] = NAN;
	}
	out[ROW_MEAN] = exact && s->min == s->max
				? s->min
				: trimmed_mean(&all, total, exact ? m->value : NAN);
	free(all.bins);
}
