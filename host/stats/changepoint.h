/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Change points of a series of figures. Pure functions, no I/O.
 *
 * Windowed E-divisive means with Student's t-test, and a merge of weak change points:
 * Fleming et al., Hunter: Using Change Point Detection to Hunt for Performance
 * Regressions, 2023, as in Apache Otava.
 */
#ifndef WS_STATS_CHANGEPOINT_H
#define WS_STATS_CHANGEPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct changepoint_rules {
	size_t window;	  /* values in a window, at least 2 */
	double pvalue;	  /* a change is significant below this p */
	double magnitude; /* least relative change; 0: any */
	double quantum;	  /* step of the figures; 0: unknown */
	double quanta;	  /* least change in quanta */
	/*
	 * Exactly the algorithm of Apache Otava: standard deviations divided by n, no
	 * quantum, windows also for short series; and after a merge removes a change
	 * point, the one after the next is tested again instead of the one before.
	 */
	bool otava;
};

/* Series with fewer values are judged by prediction intervals instead of windows, ... */
#define CHANGEPOINT_SHORT  12
/* ... which need this many values before a change. */
#define CHANGEPOINT_BEFORE 3

struct changepoint {
	size_t index; /* first value after the change */
	double pvalue;
	double before, after; /* means between change points, without outliers */
	/* Of the newest value alone: an outlier, or a change that more values will show.
	 */
	bool single;
	/* Per value, if changepoint_trends() finds that the change belongs to a trend. */
	double trend;
	/* Not of the mean; 0 of all changes that this file finds. */
	enum changepoint_of {
		CHANGEPOINT_OF_MEAN,
		CHANGEPOINT_OF_EVENTS, /* of the distribution of each value's events */
		CHANGEPOINT_OF_VALUES, /* of the distribution of the values */
	} of;
};

/*
 * The change points of `values`, which are finite, in order. `out` has room for n.
 *
 * Outliers are set aside first: values more than four standard deviations above, or
 * below, the values on both sides (Hampel's identifier; the standard deviation is that of
 * the differences of neighbours, by their median). A change needs two values, so that a
 * single outlier hides nothing and is not a change. Fewer than CHANGEPOINT_SHORT values
 * are judged one after the other: two values outside the prediction interval of the
 * values since the last change are a change, one is an outlier. The newest value cannot
 * be confirmed by a later one: its change is `single`.
 *
 * outlier[i], unless NULL, is set to whether value i was set aside; rules->otava sets
 * nothing aside and leaves `outlier` alone. 0 or -ENOMEM.
 */
int changepoint_find(const double *values, size_t n,
		     const struct changepoint_rules *rules, struct changepoint *out,
		     size_t *n_out, bool *outlier);

/*
 * Sets `trend` of the changes found by changepoint_find() that belong to a trend:
 * consecutive changes of one direction for which a straight line fits the `near` values
 * on both sides and those between them better than steps, by Schwarz's criterion
 * (Estimating the Dimension of a Model, 1978). `outlier` can be NULL.
 */
void changepoint_trends(const double *values, const bool *outlier, size_t n, size_t near,
			struct changepoint *changes, size_t n_changes);

/*
 * The change points of an exact series of ranges [lo, hi]. Between changes, all ranges
 * overlap each other; the first range that is disjoint from one of them is a change.
 * `before` and `after` are the nearest ends of the intersection of the ranges before and
 * of that range; p is 0. Returns the number of changes.
 */
size_t changepoint_ranges(const double *lo, const double *hi, size_t n,
			  struct changepoint *out);

/* The larger of |after / before - 1| and |before / after - 1|; 0 if a mean is 0. */
double changepoint_magnitude(const struct changepoint *c);

/*
 * The best split of a window by the energy statistic of E-divisive (Matteson and James, A
 * Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data, 2014).
 * Public for its test.
 */
struct divisive;

/* Sums of distances of a window. `values` must outlive it. NULL: out of memory. */
struct divisive *divisive_new(const double *values, size_t n);
void divisive_free(struct divisive *d);

/*
 * The split of values[start, end), end - start >= 2, with the largest statistic: left is
 * [start, split), right is [split, k) for the best k <= end. The first of equal splits.
 * `*statistic` >= 0.
 */
size_t divisive_split(const struct divisive *d, size_t start, size_t end,
		      double *statistic);

/* ------------------------------ outliers ------------------------------ */

/*
 * Marks the outliers of values[start, end), at least two of the `n` of a series: four
 * standard deviations, but at least 4 `floor`, beyond the medians of the three values on
 * each side. If more than a tenth is, these are modes, and none is marked. `work` has
 * room for end - start values.
 */
void outliers_mark(const double *values, size_t n, size_t start, size_t end, double floor,
		   double *work, bool *outlier);

/*
 * Copies the values of one side of a change, in order and without the outliers, but with
 * its first and last one. Returns their number. `aside` and `out` have room for n.
 */
size_t outliers_drop(const double *values, size_t n, bool *aside, double *out);

/* ------------------------------ distributions ------------------------------ */

/*
 * Changes of distribution in a series: a mode appears, or its share moves, and the mean
 * or the median does not tell. Pure functions, no I/O.
 */

/*
 * The change points of `values`, which are finite, by ED-PELT: the segments with the
 * least sum of nonparametric costs, at 4 ln n quantiles, and a penalty of 3 ln n for each
 * change (Haynes, Fearnhead and Eckley, A Computationally Efficient Nonparametric
 * Approach for Changepoint Detection, 2017; pruned as in Killick, Fearnhead and Eckley,
 * Optimal Detection of Changepoints with a Linear Computational Cost, 2012). A segment
 * has at least `least` > 0 values. Without changes nothing is pruned: n^2 ln n.
 *
 * out[], with room for n, receives the first indices after the changes, in order.
 */
struct edpelt;
void edpelt_search(struct edpelt *e, const double *values, size_t n, size_t least,
		   size_t *out, size_t *n_out);

/* Room for series of at most `n` values. NULL: out of memory. */
struct edpelt *edpelt_new(size_t n);
void edpelt_free(struct edpelt *e);

struct distribution_rules {
	size_t window; /* ED-PELT looks at so many values; windows overlap by half */
	double pvalue; /* of all quantiles together */
	double least;  /* a change of a quantile is at least this large; > 0 */
};

/* Runs on each side of a change: three outliers are not a change. */
#define DISTRIBUTION_RUNS 4

struct distribution_change {
	size_t index; /* first run after the change */
	double pvalue;
};

/*
 * The changes of a series of n runs of `d` quantiles each, quantile q of run i at
 * vectors[i * d + q]. ED-PELT proposes the changes of a quantile; Mann-Whitney's test
 * of the runs on both sides (at most `window` of each), corrected for d quantiles
 * (Simes), must confirm them, and a quartile of the two sides must differ by `least`.
 * Where runs resemble the run before, a test of the means with that autocorrelation must
 * agree, with p below a tenth of `pvalue`. The weakest goes until all are confirmed, as
 * their neighbours are what they are tested against.
 *
 * Windows without a difference of means, of values that are cut off at six standard
 * deviations, are not searched: d n for a series without changes, and ED-PELT's
 * window^2 ln(window) for each of 2 n / window windows at most.
 *
 * out[] has room for n. 0 or -ENOMEM.
 */
int distribution_find(const double *vectors, size_t n, size_t d,
		      const struct distribution_rules *rules,
		      struct distribution_change *out, size_t *n_out);

/*
 * The same of one figure per run, where the runs have modes: more than a tenth of them
 * is more than eight standard deviations (by the differences of neighbours), and `least`,
 * from their median. Without modes, nothing is found. Windows are four times as long,
 * and p must be below a tenth of `pvalue`.
 */
int distribution_of_runs(const double *values, size_t n,
			 const struct distribution_rules *rules,
			 struct distribution_change *out, size_t *n_out);

#endif
