/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bootstrap intervals, bias-corrected and accelerated (BCa; Efron and Tibshirani, An
 * Introduction to the Bootstrap, 14.3). The same seed gives the same interval.
 */
#ifndef WS_STATS_BOOTSTRAP_H
#define WS_STATS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

struct stats_bootstrap {
	double estimate;
	double lo, hi;
	double bias, acceleration; /* z0 and a of BCa; both 0: the percentile interval */
};

/* `values` may be reordered. */
typedef double stats_statistic(double *values, size_t n);

/* Of one sample's `statistic`. -ERANGE where n < 2 or resamples < 100; -ENOMEM. */
int stats_bootstrap(const double *values, size_t n, stats_statistic *statistic,
		    double level, size_t resamples, uint64_t seed,
		    struct stats_bootstrap *out);

/* The events of one boot, ascending. */
struct stats_events {
	const double *sorted;
	size_t n;
};

/*
 * Of the median of boot medians, over both levels: boots are drawn with replacement,
 * and within each its events. A drawn boot's median is drawn straight from the
 * distribution that it has (an order statistic of uniform numbers is a beta
 * variate), so that the cost does not depend on the number of events.
 * -ERANGE where there are fewer than 2 boots, or one without events; -ENOMEM.
 */
int stats_bootstrap_boots(const struct stats_events *boots, size_t n, double level,
			  size_t resamples, uint64_t seed, struct stats_bootstrap *out);

#endif
