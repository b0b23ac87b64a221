/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hierarchical variance, and what repetition is worth. */
#include "host/stats/variance.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_statistics_double.h>

/* Replaces each `reps` values by their mean; the mean of their variances. */
static double fold(double *values, size_t *n, size_t reps)
{
	size_t groups = *n / reps;
	double sum = 0;

	for (size_t g = 0; g < groups; g++) {
		const double *group = values + g * reps;
		double mean = gsl_stats_mean(group, 1, reps);

		sum += gsl_stats_variance_m(group, 1, reps, mean);
		values[g] = mean; /* g <= g * reps: it was read before */
	}
	*n = groups;
	return sum / (double)groups;
}

int stats_variance(const double *values, const struct stats_levels *levels,
		   struct stats_variance *out)
{
	size_t n = 1;
	double *left;

	if (!levels->n || levels->n > STATS_LEVELS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < levels->n; i++) {
		if (levels->reps[i] < 2)
			return -EINVAL;
		n *= levels->reps[i];
	}
	left = reallocarray(NULL, n, sizeof(*left));
	if (!left)
		return -ENOMEM;
	memcpy(left, values, n * sizeof(*left));
	for (size_t i = 0; i < levels->n; i++) {
		size_t below = levels->n - i; /* its index in reps, if any, plus one */

		out->s2[i] = fold(left, &n, levels->reps[below - 1]);
		out->t2[i] = out->s2[i];
		if (i)
			out->t2[i] -= out->s2[i - 1] / (double)levels->reps[below];
	}
	out->mean = left[0];
	free(left);
	return 0;
}

double stats_best_reps(const struct stats_variance *v, size_t i, const double *cost)
{
	if (!(v->t2[i] > 0) || !(v->t2[i + 1] > 0))
		return NAN;
	return sqrt(cost[i + 1] / cost[i] * v->t2[i] / v->t2[i + 1]);
}
