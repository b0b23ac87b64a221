/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two samples: whether one is larger, by how much, and how many values a test needs.
 * Pure functions, no I/O. `x` is the base and `y` the new sample.
 */
#ifndef WS_STATS_TWO_SAMPLE_H
#define WS_STATS_TWO_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stats_mann_whitney {
	double u;		  /* pairs with x > y, ties count half */
	double p_less, p_greater; /* one-sided: u this small, u this large */
	double p;		  /* two-sided: twice the smaller, at most 1 */
	bool exact;
};

/*
 * Mann-Whitney's U test. Up to STATS_EXACT_MAX values in both samples: exact, also with
 * ties (the permutation distribution of the rank sum). Above: normal approximation,
 * corrected for ties and continuity (Lehmann, Nonparametrics, 1.2 and 1.5).
 * 0; -ERANGE: a sample is empty; -ENOMEM.
 */
#define STATS_EXACT_MAX 100
int stats_mann_whitney(const double *x, size_t n_x, const double *y, size_t n_y,
		       struct stats_mann_whitney *out);

struct stats_shift {
	double shift;  /* Hodges-Lehmann: median of all y - x */
	double lo, hi; /* NAN: too few values for `level` */
	double actual; /* coverage reached, >= level; NAN */
};

/*
 * The shift from x to y, with the interval of Mann-Whitney's test: exact up to
 * STATS_EXACT_MAX values without ties; ties increase the coverage (Lehmann, 2.6).
 * 0; -ERANGE: a sample is empty; -ENOMEM.
 */
int stats_shift(const double *x, size_t n_x, const double *y, size_t n_y, double level,
		struct stats_shift *out);

/* Cliff's delta, -1 to 1: share of pairs with y > x minus share with y < x. NAN: empty.
 */
double stats_cliff(const double *x, size_t n_x, const double *y, size_t n_y);

/*
 * Wilcoxon's signed-rank test of `n` differences of pairs about 0, with the interval of
 * the Hodges-Lehmann shift: the median of all means of two differences, or of one
 * (Lehmann, Nonparametrics, 3.2 and 4.3). Up to STATS_EXACT_MAX differences exact: p also
 * with ties, which increase the coverage of the interval. Zeros are ignored by p. It
 * needs differences that are symmetric about the shift, as those of pairs in random or
 * alternating order are where nothing differs. 0; -ERANGE: n is 0; -ENOMEM.
 */
struct stats_signed_rank {
	double p;	      /* two-sided; NAN: there are only zeros */
	double shift, lo, hi; /* lo, hi: NAN: too few differences for `level` */
};
int stats_signed_rank(const double *differences, size_t n, double level,
		      struct stats_signed_rank *out);

/*
 * Holm's step-down correction (1979): p[i] is significant at alpha in the family of all
 * `n` tests if adjusted[i] <= alpha. A NAN is not part of the family and stays NAN. The
 * two arrays can be one array. 0 or -ENOMEM.
 */
int stats_holm(const double *p, size_t n, double *adjusted);

struct student_sample {
	size_t n;
	double mean;
	double variance; /* 0 where n < 2 */
};

/* Mean and variance of `n` > 0 values. The sum of squares is divided by n - ddof (1:
 * unbiased). */
struct student_sample student_sample(const double *values, size_t n, size_t ddof);

/*
 * Two-sided p of Student's t-test of equal means, pooled variance, n1 + n2 - 2 degrees of
 * freedom. A variance below `floor` is raised to `floor`: figures rounded to steps of q
 * have a variance of at least q^2 / 12. Without variance, p is 0 if the means differ,
 * else 1. For one value in each sample, p is 1: the variance is unknown.
 *
 * If b has one value, this is the test of the prediction interval of a.
 */
double student_p(const struct student_sample *a, const struct student_sample *b,
		 double floor);

/*
 * The least number of pairs for which the signed-rank test can be significant at `alpha`
 * in a family of `family` tests; and of values in each sample, for Mann-Whitney's test.
 */
size_t stats_least_pairs(double alpha, size_t family);
size_t stats_least_values(double alpha, size_t family);

/*
 * Upper limit of the probability that the ranges of `n` and `m` values of one
 * distribution are disjoint: 2 / C(n + m, n).
 */
double stats_apart_by_chance(size_t n, size_t m);

/* ------------------------------ bootstrap ------------------------------ */

/*
 * Bootstrap intervals, bias-corrected and accelerated (BCa; Efron and Tibshirani, An
 * Introduction to the Bootstrap, 14.3). The same seed gives the same interval.
 *
 * And whether the events of a boot are independent and of one distribution: comparison of
 * the halves, autocorrelation, modes. Pure functions, no I/O.
 */

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

/* ------------------------------ power ------------------------------ */

/*
 * Power: what a change must be to be found, and how many boots and runs find it. Pure
 * functions, no I/O. Changes and standard deviations are of the logarithm of a figure.
 */

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
 * and of `prior` (stats/summary.h).
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
