/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Student's t-test of two samples with one variance. Pure functions, no I/O. */
#ifndef WS_STATS_STUDENT_H
#define WS_STATS_STUDENT_H

#include <stddef.h>

struct student_sample {
	size_t n;
	double mean;
	double variance; /* 0 where n < 2 */
};

/* Of `n` > 0 values; the squares are divided by n - ddof (1: unbiased; 0). */
struct student_sample student_sample(const double *values, size_t n, size_t ddof);

/*
 * Two-sided p that both means are one, by n1 + n2 - 2 degrees of freedom. A variance
 * below `floor` counts as that: figures that were rounded to steps of q cannot vary
 * less than q^2 / 12. Without any variance, p is 0 where the means differ, else 1.
 * 1 for two values: they say nothing of how much values vary.
 *
 * Where b has one value, this is the test whether it lies in a's prediction interval.
 */
double student_p(const struct student_sample *a, const struct student_sample *b,
		 double floor);

#endif
