/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rests on the normal distribution: Welch's test, prediction intervals, and
 * Rosner's outliers. Beside them Tukey's fences, which do not.
 */
#ifndef WS_STATS_NORMAL_H
#define WS_STATS_NORMAL_H

#include <stddef.h>

struct stats_welch {
	double t, df, p; /* two-sided */
	double lo, hi;	 /* of mean(x) - mean(y) */
};

/* Two means, variances unknown and unequal. -ERANGE where n < 2 or both are constant. */
int stats_welch(const double *x, size_t n_x, const double *y, size_t n_y, double level,
		struct stats_welch *out);

/*
 * Where the next value of a normal series lies with probability `level`, after `n` of
 * that mean and (n - 1) standard deviation. -ERANGE where n < 2.
 */
int stats_prediction(double mean, double sd, size_t n, double level, double *lo,
		     double *hi);

/* How many values lie beyond 1.5 (mild) and 3 (severe) quartile ranges. */
struct stats_fences {
	size_t low_severe, low_mild, high_mild, high_severe;
	double lo, hi; /* the 1.5 fences */
};

/* `sorted` ascending, n > 0. Quartiles of type 7. */
void stats_fences(const double *sorted, size_t n, struct stats_fences *out);

/*
 * Generalised ESD (Rosner 1983): how many of at most `max` outliers are there, at
 * `alpha`. which[i] (room for `max`) is the index in `values` of the i-th most
 * extreme, also beyond the answer; `statistic` and `critical` may be NULL, or have
 * room for `max`. -ERANGE where n - max < 3; -ENOMEM.
 */
int stats_esd(const double *values, size_t n, size_t max, double alpha, size_t *which,
	      double *statistic, double *critical, size_t *outliers);

#endif
