/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bootstrap intervals, bias-corrected and accelerated (BCa; Efron and Tibshirani, An
 * Introduction to the Bootstrap, 14.3). The same seed gives the same interval.
 *
 * And whether the events of a boot are independent and of one distribution: comparison of
 * the halves, autocorrelation, modes. Pure functions, no I/O.
 */
#ifndef WS_STATS_BOOTSTRAP_H
#define WS_STATS_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stats_bootstrap {
	double estimate;
	double lo, hi;
	double bias, acceleration; /* z0 and a of BCa; both 0: the percentile interval */
};

/* `values` may be reordered. */
typedef double stats_statistic(double *values, size_t n);

/* Interval of the `statistic` of a sample. 0; -ERANGE: n < 2 or resamples < 100; -ENOMEM.
 */
int stats_bootstrap(const double *values, size_t n, stats_statistic *statistic,
		    double level, size_t resamples, uint64_t seed,
		    struct stats_bootstrap *out);

/*
 * The events of a boot that a resampled median can be: eight standard deviations on each
 * side of the median. A run keeps them for all boots until the end.
 */
struct stats_events {
	size_t n; /* all events */
	double median;
	double *middle; /* ascending: ranks first to first + kept - 1 */
	size_t first, kept;
};

/* Copies the middle of `sorted`, n > 0; free() it. Out of memory: `kept` is 0. */
struct stats_events stats_events_middle(const double *sorted, size_t n);

/*
 * Interval of the median of boot medians, resampled on two levels: boots, and the events
 * of each drawn boot, both with replacement. The median of a drawn boot is drawn from
 * its own distribution (order statistics of uniform numbers are beta variates), so that
 * the cost does not depend on the number of events.
 * 0; -ERANGE: fewer than 2 boots, or a boot without events; -ENOMEM.
 */
int stats_bootstrap_boots(const struct stats_events *boots, size_t n, double level,
			  size_t resamples, uint64_t seed, struct stats_bootstrap *out);

/* Correlation of each event with the next, -1 to 1. NAN: fewer than 3 events, or
 * constant. */
double stats_autocorrelation(const double *values, size_t n);

struct stats_halves {
	double first, second; /* medians; NAN: fewer than 4 events */
	double p;	      /* of Mann-Whitney's test; NAN */
};

/* `values` in the order of time; an odd value in the middle is ignored. 0 or -ENOMEM. */
int stats_halves(const double *values, size_t n, struct stats_halves *out);

#define STATS_MODES_MAX 4

struct stats_modes {
	size_t n; /* 1: unimodal; 0: no events */
	struct {
		double value;	 /* median of the events of the mode */
		double share;	 /* of all events */
	} mode[STATS_MODES_MAX]; /* ascending by value */
};

/*
 * The modes: clusters of at least 5 % of the events, separated by valleys of less than
 * half the lower peak. Events closer together than `apart` are one cluster. `sorted`
 * ascending. 0 or -ENOMEM.
 */
int stats_modes(const double *sorted, size_t n, double apart, struct stats_modes *out);

#endif
