/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Welch's test, prediction intervals, Rosner's outliers, Tukey's fences. */
#include "host/stats/normal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

#include "host/stats/summary.h"

int stats_welch(const double *x, size_t n_x, const double *y, size_t n_y, double level,
		struct stats_welch *out)
{
	double a, b, se, apart;

	if (n_x < 2 || n_y < 2)
		return -ERANGE;
	a = gsl_stats_variance(x, 1, n_x) / (double)n_x;
	b = gsl_stats_variance(y, 1, n_y) / (double)n_y;
	se = sqrt(a + b);
	if (!(se > 0))
		return -ERANGE;
	apart = gsl_stats_mean(x, 1, n_x) - gsl_stats_mean(y, 1, n_y);
	out->t = apart / se;
	/* Welch and Satterthwaite */
	out->df = (a + b) * (a + b) /
		  (a * a / (double)(n_x - 1) + b * b / (double)(n_y - 1));
	out->p = 2 * gsl_cdf_tdist_Q(fabs(out->t), out->df);
	out->lo = apart - gsl_cdf_tdist_Pinv((1 + level) / 2, out->df) * se;
	out->hi = apart + gsl_cdf_tdist_Pinv((1 + level) / 2, out->df) * se;
	return 0;
}

int stats_prediction(double mean, double sd, size_t n, double level, double *lo,
		     double *hi)
{
	double reach;

	if (n < 2)
		return -ERANGE;
	reach = gsl_cdf_tdist_Pinv((1 + level) / 2, (double)(n - 1)) * sd *
		sqrt(1 + 1 / (double)n);
	*lo = mean - reach;
	*hi = mean + reach;
	return 0;
}

void stats_fences(const double *sorted, size_t n, struct stats_fences *out)
{
	double q1 = stats_quantile_sorted(sorted, n, 0.25);
	double q3 = stats_quantile_sorted(sorted, n, 0.75);
	double mild = 1.5 * (q3 - q1), severe = 3 * (q3 - q1);

	*out = (struct stats_fences){ .lo = q1 - mild, .hi = q3 + mild };
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] < q1 - severe)
			out->low_severe++;
		else if (sorted[i] < q1 - mild)
			out->low_mild++;
		else if (sorted[i] > q3 + severe)
			out->high_severe++;
		else if (sorted[i] > q3 + mild)
			out->high_mild++;
	}
}

/* The critical value for the i-th outlier (from 1) of n values. */
static double esd_critical(size_t n, size_t i, double alpha)
{
	double left = (double)(n - i + 1); /* values among which it is the extreme */
	double t = gsl_cdf_tdist_Pinv(1 - alpha / (2 * left), left - 2);

	return (left - 1) * t / sqrt((left - 2 + t * t) * left);
}

/* The value that lies farthest from the mean of all, in standard deviations. */
static double farthest(const double *values, size_t n, size_t *at)
{
	double mean = gsl_stats_mean(values, 1, n);
	double sd = gsl_stats_sd_m(values, 1, n, mean);

	*at = 0;
	for (size_t i = 1; i < n; i++)
		if (fabs(values[i] - mean) > fabs(values[*at] - mean))
			*at = i;
	return sd > 0 ? fabs(values[*at] - mean) / sd : 0;
}

int stats_esd(const double *values, size_t n, size_t max, double alpha, size_t *which,
	      double *statistic, double *critical, size_t *outliers)
{
	double *left;
	size_t *index;

	*outliers = 0;
	if (n < max + 3)
		return -ERANGE;
	left = malloc(n * sizeof(*left));
	index = malloc(n * sizeof(*index));
	if (!left || !index) {
		free(left);
		free(index);
		return -ENOMEM;
	}
	memcpy(left, values, n * sizeof(*left));
	for (size_t i = 0; i < n; i++)
		index[i] = i;
	for (size_t i = 0; i < max; i++) {
		double bound = esd_critical(n, i + 1, alpha), r;
		size_t at;

		r = farthest(left, n - i, &at);
		which[i] = index[at];
		/* Not swapped with the last: of equal ones, the first goes first. */
		memmove(left + at, left + at + 1, (n - i - at - 1) * sizeof(*left));
		memmove(index + at, index + at + 1, (n - i - at - 1) * sizeof(*index));
		if (r > bound)
			*outliers = i + 1;
		if (statistic)
			statistic[i] = r;
		if (critical)
			critical[i] = bound;
	}
	free(left);
	free(index);
	return 0;
}
