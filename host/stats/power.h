/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power: what a change must be to be found, and how many boots and runs find it. Pure
 * functions, no I/O. Changes and standard deviations are of the logarithm of a figure.
 */
#ifndef WS_STATS_POWER_H
#define WS_STATS_POWER_H

#include <stddef.h>

/*
 * A test finds a change if its estimate is beyond significant * s and beyond edge +
 * outside * s, where s is the test's own estimate of the standard error.
 *
 * Two things are random beside the estimate: s, which varies about `limit` as a standard
 * deviation with `df` degrees of freedom; and the noise itself, which is known from a
 * sample with `known` degrees of freedom only. Power is the mean over both.
 */
struct power_test {
	double se;    /* standard error of the estimate */
	double limit; /* what the test takes it for, in expectation */
	double df, known;
	double significant, outside, edge;
};

/* The share of changes of this size that are found. */
double power_found(const struct power_test *t, double change);

/* The least change of which this share is found. */
double power_least(const struct power_test *t, double share);

/*
 * The least n of [least, POWER_MOST] whose test finds this share of changes, where all
 * larger n do, too. NAN: more than POWER_MOST.
 */
#define POWER_MOST 1000
double power_count(struct power_test (*test)(const void *of, size_t n), const void *of,
		   size_t least, double change, double share);

/*
 * Comparison of runs: the variance of a run's figure is own + common. `common`, which all
 * rows of a run share, has the degrees of freedom of the runs; `own` those of the runs
 * and of `prior` (stats/variance.h).
 */
struct power_runs {
	double own, common; /* variances, ... */
	double own_df;	    /* ... known with these degrees of freedom */
	double common_df;
	double prior; /* degrees of freedom from the other rows */
	size_t rows;  /* prior per run, if all rows are alike; else 0 */
	double alpha; /* significance of one test, two-sided */
	double level; /* of the interval, which must leave the band */
	double band;  /* changes within +-band are not reported */
};

struct power_test power_of_runs(const void *plan, size_t runs);

/* A step of a history: found by Student's t, and of a least size. */
struct power_gate {
	double sd;     /* of a run's figure */
	double known;  /* its degrees of freedom */
	size_t before; /* runs before the step */
	double alpha;
	double least; /* reported changes are at least this */
};

struct power_test power_of_gate(const void *gate, size_t after);

#endif
