/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact order-statistic interval of a median. Pure functions, no I/O. */
#ifndef WS_STATS_INTERVAL_H
#define WS_STATS_INTERVAL_H

#include <stddef.h>

struct stats_interval {
	double level;  /* coverage asked for */
	double actual; /* coverage reached: >= level, by the binomial distribution */
	double lo, hi;
};

/*
 * The narrowest symmetric pair of order statistics that covers the median of a
 * continuous distribution with probability >= level (Conover, Practical
 * Nonparametric Statistics, 3.2). Sorts `values` in place. 0, or -ERANGE where
 * `n` values are too few for `level` (six are the least for 0.95).
 */
int stats_median_interval(double *values, size_t n, double level,
			  struct stats_interval *out);

#endif
