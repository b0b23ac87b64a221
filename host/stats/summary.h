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

/* ------------------------------ variances ------------------------------ */

/*
 * Variances: of the mean of values that depend on the values before them, and of many
 * rows with few values each. Pure functions, no I/O.
 */

/*
 * The coefficient of the AR(1) process whose `n` values have the stats_autocorrelation()
 * `lag1`, in expectation (ratio of the expectations; Box, Jenkins and
 * Reinsel, Time Series Analysis, 2.1). The expectation is below the coefficient, most of
 * all for few values: -1/n for independent values. 0 to STATS_AR_MAX.
 */
#define STATS_AR_MAX 0.97
double stats_ar_of_lag1(double lag1, size_t n);
double stats_lag1_of_ar(double ar, size_t n);

/*
 * Var(mean) / (E(s^2) / n) for n values of an AR(1) process: the factor by which the
 * naive variance of a mean is too small. 1: independent values.
 */
double stats_ar_inflation(double ar, size_t n);

/* Degrees of freedom that are left to the variance of n values of an AR(1) process; >= 2.
 */
double stats_ar_df(double ar, size_t n);

/*
 * What the variances of many rows have in common: a scaled inverse chi-squared prior with
 * `df` degrees of freedom about `variance` (Smyth, Linear models and empirical Bayes
 * methods, 2004; limma's fitFDist). df 0: no prior.
 */
struct stats_prior {
	double variance, df;
};

/*
 * From the variances of `n` rows with `df` degrees of freedom each. Variances below
 * `floor` > 0 are raised to it. The prior has at most the degrees of freedom of the other
 * rows. Fewer than three rows: none.
 */
struct stats_prior stats_prior_fit(const double *variances, size_t n, double df,
				   double floor);

/*
 * The variance of one row under a prior: the mean of both, weighted by the degrees of
 * freedom. A prior with fewer degrees of freedom than the row is not used: the
 * rows have little in common. A row that is too variable for the prior (above the 99 %
 * quantile of F) keeps its own variance.
 */
struct stats_prior stats_prior_apply(const struct stats_prior *prior, double variance,
				     double df);

/* Degrees of freedom of a sum of two variances of estimates (Satterthwaite, 1946). */
double stats_df_of_sum(double v1, double df1, double v2, double df2);

/* ------------------------------ least squares ------------------------------ */

/*
 * Least squares with coefficients that are not negative: Lawson and Hanson, "Solving
 * Least Squares Problems" (1974), chapter 23, algorithm NNLS.
 *
 * Pure functions, no I/O.
 */

/*
 * Minimizes |a x - b| over x >= 0. `a`: `rows` x `columns`, by rows. Columns are scaled
 * to the same length for the solution, so that their units do not matter; a column of
 * zeros has coefficient 0. 0; -ENOMEM; -ERANGE: no solution within 10 * columns steps.
 */
int stats_nnls(const double *a, const double *b, size_t rows, size_t columns, double *x);

#endif
