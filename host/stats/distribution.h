/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of distribution in a series: a mode appears, or its share moves, and the mean
 * or the median does not tell. Pure functions, no I/O.
 */
#ifndef WS_STATS_DISTRIBUTION_H
#define WS_STATS_DISTRIBUTION_H

#include <stddef.h>

/*
 * The change points of `values`, which are finite, by ED-PELT: the segments with the
 * least sum of nonparametric costs, at 4 ln n quantiles, and a penalty of 3 ln n for each
 * change (Haynes, Fearnhead and Eckley, A Computationally Efficient Nonparametric
 * Approach for Changepoint Detection, 2017; pruned as in Killick, Fearnhead and Eckley,
 * Optimal Detection of Changepoints with a Linear Computational Cost, 2012). A segment
 * has at least `least` > 0 values. Without changes nothing is pruned: n^2 ln n.
 *
 * out[], with room for n, receives the first indices after the changes, in order. 0 or
 * -ENOMEM.
 */
int distribution_edpelt(const double *values, size_t n, size_t least, size_t *out,
			size_t *n_out);

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
