/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Student's t-test of two samples with one variance. */
#include "host/stats/student.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

struct student_sample student_sample(const double *values, size_t n, size_t ddof)
{
	struct student_sample s = { .n = n };
	double squares = 0;

	for (size_t i = 0; i < n; i++)
		s.mean += values[i];
	s.mean /= (double)n;
	if (n < 2)
		return s;
	for (size_t i = 0; i < n; i++)
		squares += (values[i] - s.mean) * (values[i] - s.mean);
	s.variance = squares / (double)(n - ddof);
	return s;
}

double student_p(const struct student_sample *a, const struct student_sample *b,
		 double floor)
{
	double df = (double)(a->n + b->n) - 2, apart = a->mean - b->mean, pooled, squared;

	if (df < 1)
		return 1;
	pooled = ((double)(a->n - 1) * a->variance + (double)(b->n - 1) * b->variance) /
		 df;
	squared = fmax(pooled, floor) * (1.0 / (double)a->n + 1.0 / (double)b->n);
	if (squared == 0)
		return apart == 0 ? 1 : 0;
	/*
	 * Both tails at once, by the beta distribution: gsl_cdf_tdist_Q() has only
	 * seven digits where p is tiny.
	 */
	return gsl_cdf_beta_P(df / (df + apart * apart / squared), df / 2, 0.5);
}
