/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two samples: whether one is larger, by how much, and how many values a test needs.
 * Pure functions, no I/O. `x` is the base and `y` the new sample.
 */
#ifndef WS_STATS_TWO_SAMPLE_H
#define WS_STATS_TWO_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
