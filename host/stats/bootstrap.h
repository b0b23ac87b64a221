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

/*
 * One boot's events, as far as a drawn median can reach: eight of its standard
 * deviations to each side. A run keeps these of all its boots, until its end.
 */
struct stats_events {
	size_t n; /* all of them */
	double median;
	double *middle; /* ascending: those of ranks first to first + kept - 1 */
	size_t first, kept;
};

/* A copy of the middle of `sorted`; free() it. n > 0. Out of memory: `kept` is 0. */
struct stats_events stats_events_middle(const double *sorted, size_t n);

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
