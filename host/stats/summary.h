/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Order statistics and moments of one boot's samples.
 *
 * Pure functions, no I/O. Quantiles are Hyndman and Fan's type 7 (the default
 * of R and NumPy): linear between order statistics at h = (n - 1) q.
 */
#ifndef WS_STATS_SUMMARY_H
#define WS_STATS_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

struct stats_summary {
	uint64_t n;
	double min, max, mean;
	double sd;  /* sample standard deviation (n - 1); NAN where n < 2 */
	double mad; /* median absolute deviation x 1.4826 */
	double p1, p5, p25, p50, p75, p90, p95, p99, p99_9;
	/*
	 * A tail percentile q is NAN unless n (1 - q) >= 10 (above the median)
	 * or n q >= 10 (below it): with fewer samples beyond it, it says
	 * nothing. p25, p50 and p75 always have a value where n > 0.
	 */
};

/* Sorts a copy. n == 0: all NAN, n 0. 0 or -ENOMEM. */
int stats_summarize(const int64_t *samples, size_t n, struct stats_summary *out);

/* Type 7 quantile, 0 <= q <= 1, of `n` > 0 values sorted ascending. */
double stats_quantile_sorted(const double *sorted, size_t n, double q);

/*
 * The step that values of a clock advance by, as far as can be seen: what divides
 * all of `samples` and `so_far`. 0: nothing was seen but zeros.
 */
uint64_t stats_step(const int64_t *samples, size_t n, uint64_t so_far);

/* Median of `n` > 0 values, any order. Sorts in place. */
double stats_median(double *values, size_t n);

#endif
