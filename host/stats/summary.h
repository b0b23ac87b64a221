/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sample: order statistics, moments, the interval of its median, its histogram.
 *
 * Pure functions, no I/O. Quantiles are type 7 of Hyndman and Fan (1996; the default of R
 * and NumPy): linear between the order statistics at h = (n - 1) q.
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
	 * A tail percentile q is NAN unless n (1 - q) >= 10 (above the median) or
	 * n q >= 10 (below): with fewer samples beyond it, the estimate is noise.
	 * p25, p50 and p75 are set if n > 0.
	 */
};

/* Summarizes samples in any order. n == 0: all NAN. 0 or -ENOMEM. */
int stats_summarize(const int64_t *samples, size_t n, struct stats_summary *out);

/* Type 7 quantile, 0 <= q <= 1, of `n` > 0 values sorted ascending. */
double stats_quantile_sorted(const double *sorted, size_t n, double q);

/*
 * The observed step of a clock: the greatest common divisor of `samples` and `so_far`.
 * 0: all are zero.
 */
uint64_t stats_step(const int64_t *samples, size_t n, uint64_t so_far);

/* Median of `n` > 0 values, any order. Sorts in place. */
double stats_median(double *values, size_t n);

struct stats_interval {
	double level;  /* requested coverage */
	double actual; /* coverage by the binomial distribution, >= level */
	double lo, hi;
};

/*
 * The narrowest symmetric pair of order statistics that covers the median of a
 * continuous distribution with probability >= level (Conover, Practical Nonparametric
 * Statistics, 3.2). Sorts `values` in place. 0, or -ERANGE: too few values for `level`
 * (0.95 needs six).
 */
int stats_median_interval(double *values, size_t n, double level,
			  struct stats_interval *out);

/*
 * Log-linear histogram of signed integers, after HdrHistogram, with `bits` bits of
 * precision (1 to HISTOGRAM_BITS_MAX): bins are exact below 2^bits, and at most
 * 2^(1-bits) of their value wide above. Negative values mirror positive values.
 * Histograms of equal `bits` can be merged. Bins are ascending; empty bins are not
 * stored.
 */
#define HISTOGRAM_BITS	   7
#define HISTOGRAM_BITS_MAX 62

struct histogram_bin {
	int64_t low; /* the value of the bin nearest to zero */
	uint64_t count;
};

struct histogram {
	unsigned int bits;
	struct histogram_bin *bins; /* free() */
	size_t n_bins;
};

/* The `low` of the bin of a value. */
int64_t histogram_low(int64_t value, unsigned int bits);

/* The width of a bin, from `low` away from zero. */
uint64_t histogram_width(int64_t low, unsigned int bits);

/* Builds `h`; free h->bins. 0 or -ENOMEM. */
int histogram_build(const int64_t *samples, size_t n, unsigned int bits,
		    struct histogram *h);

/* out = a + b. 0; -EINVAL: `bits` differ; -ENOMEM. */
int histogram_merge(const struct histogram *a, const struct histogram *b,
		    struct histogram *out);

uint64_t histogram_total(const struct histogram *h);

#endif
