/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact order-statistic interval of a median. */
#include "host/stats/interval.h"

#include <errno.h>
#include <limits.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>

/*
 * How likely the k-th smallest and the k-th largest of n values (k from 1)
 * enclose the median: neither all but k - 1 of them lie on one side nor on the
 * other, and each value's side is the toss of a fair coin.
 */
static double coverage(size_t k, size_t n)
{
	return 1.0 - 2.0 * gsl_cdf_binomial_P((unsigned int)k - 1, 0.5, (unsigned int)n);
}

int stats_median_interval(double *values, size_t n, double level,
			  struct stats_interval *out)
{
	size_t good = 0, bad = n / 2 + 1;

	if (n > UINT_MAX)
		return -ERANGE;

	/* Coverage falls as k grows: the largest k that still reaches level. */
	while (bad - good > 1) {
		size_t k = good + (bad - good) / 2;

		if (coverage(k, n) >= level)
			good = k;
		else
			bad = k;
	}
	if (good == 0)
		return -ERANGE;

	gsl_sort(values, 1, n);
	*out = (struct stats_interval){
		.level = level,
		.actual = coverage(good, n),
		.lo = values[good - 1],
		.hi = values[n - good],
	};
	return 0;
}
