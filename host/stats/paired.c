/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sign test, and Holm's correction for families of tests. */
#include "host/stats/paired.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>

double stats_sign_test(const double *differences, size_t n)
{
	size_t up = 0, down = 0;

	for (size_t i = 0; i < n; i++) {
		up += differences[i] > 0;
		down += differences[i] < 0;
	}
	if (up + down == 0)
		return NAN;
	return fmin(1, 2 * gsl_cdf_binomial_P((unsigned int)(up < down ? up : down), 0.5,
					      (unsigned int)(up + down)));
}

int stats_holm(const double *p, size_t n, double *adjusted)
{
	double *values, worst = 0;
	size_t *order, *which, m = 0;

	values = calloc(n + 1, sizeof(*values));
	order = malloc((n + 1) * 2 * sizeof(*order));
	if (!values || !order) {
		free(values);
		free(order);
		return -ENOMEM;
	}
	which = order + n + 1;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(p[i])) {
			which[m] = i;
			values[m++] = p[i];
		}
		adjusted[i] = p[i];
	}
	gsl_sort_index(order, values, 1, m);
	/* The smallest counts m times, the next m - 1; none less than one before. */
	for (size_t i = 0; i < m; i++) {
		worst = fmax(worst, fmin(1, (double)(m - i) * values[order[i]]));
		adjusted[which[order[i]]] = worst;
	}
	free(values);
	free(order);
	return 0;
}
