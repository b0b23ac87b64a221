/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The best split of a window by the energy statistic of E-divisive. */
#include "host/stats/changepoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The best split of E-divisive over all splits and ends of a window, in O(window^2).
 *
 * For a split t of [s, k) with n = t - s values on the left and m = k - t on the right:
 *
 *	q(t, k) = 2 / (m + n) * (sum of |x - y| over left x right
 *			- m / (n - 1) * sum over pairs within the left
 *			- n / (m - 1) * sum over pairs within the right)
 *
 * A side of one value has no pairs, and its term is 0. Row sums of distances to the right
 * do not depend on s and are computed once; the other terms are running sums. The order
 * of the additions is that of Apache Otava, so that rounding decides between equal splits
 * as in Apache Otava.
 */
struct divisive {
	const double *values;
	size_t n;
	double *right;	     /* right[i * n + j]: distances from value i to (i, j] */
	double *left;	     /* left[j]: distances from value j to [0, j) */
	double *within_left; /* scratch: pairs within [s, s + i], by i */
	double *across;	     /* scratch: right[] summed over rows s to i, by i */
};

struct divisive *divisive_new(const double *values, size_t n)
{
	struct divisive *d = calloc(1, sizeof(*d));
	double *sums = malloc((n * n + 3 * n) * sizeof(*sums));

	if (!d || !sums) {
		free(d);
		free(sums);
		return NULL;
	}
	*d = (struct divisive){
		.values = values,
		.n = n,
		.right = sums,
		.left = sums + n * n,
		.within_left = sums + n * n + n,
		.across = sums + n * n + 2 * n,
	};
	memset(d->left, 0, n * sizeof(*d->left));
	for (size_t i = 0; i < n; i++) {
		double *row = d->right + i * n;

		row[i] = 0;
		for (size_t j = i + 1; j < n; j++) {
			double distance = fabs(values[i] - values[j]);

			row[j] = row[j - 1] + distance;
			d->left[j] += distance;
		}
	}
	return d;
}

void divisive_free(struct divisive *d)
{
	if (!d)
		return;
	free(d->right);
	free(d);
}

/* within_left[i]: distances of all pairs in values[start, start + i]. */
static void sum_left(const struct divisive *d, size_t start, size_t n)
{
	d->within_left[0] = 0;
	for (size_t i = 1; i < n; i++) {
		double before = 0;

		for (size_t k = 0; k < start; k++)
			before += fabs(d->values[k] - d->values[start + i]);
		d->within_left[i] = d->within_left[i - 1] + (d->left[start + i] - before);
	}
}

struct best {
	double statistic;
	size_t left;  /* values left of the split */
	size_t total; /* values left and right of the split */
};

/* Tries all splits of `total` values from `start`. */
static void try_end(const struct divisive *d, size_t start, size_t total,
		    struct best *best)
{
	const double *column = d->right + start * d->n + start + total - 1;
	double within_right = 0;

	d->across[0] = column[0];
	for (size_t i = 1; i + 1 < total; i++)
		d->across[i] = d->across[i - 1] + column[i * d->n];

	for (size_t n = total - 1; n > 0; n--) {
		size_t m = total - n;
		double all = (double)total, q;

		/* The first pair on the right side: the last two values. */
		if (m > 1)
			within_right += column[n * d->n];
		q = 2.0 / all * (d->across[n - 1] - d->within_left[n - 1]);
		if (n > 1)
			q -= 2.0 * (double)m / (all * (double)(n - 1)) *
			     d->within_left[n - 1];
		if (m > 1)
			q -= 2.0 * (double)n / (all * (double)(m - 1)) * within_right;
		if (q > best->statistic ||
		    (q == best->statistic &&
		     (n < best->left || (n == best->left && total < best->total))))
			*best = (struct best){ q, n, total };
	}
}

size_t divisive_split(const struct divisive *d, size_t start, size_t end,
		      double *statistic)
{
	struct best best = { -INFINITY, 0, 0 };

	sum_left(d, start, end - start);
	for (size_t total = 2; total <= end - start; total++)
		try_end(d, start, total, &best);
	*statistic = best.statistic;
	return start + best.left;
}
