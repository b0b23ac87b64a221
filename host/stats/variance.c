/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variances of dependent values, and of many rows with few values each. */
#include "host/stats/variance.h"

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_psi.h>

#define LAG1_MIN 4
#define ROWS_MIN 3
/* A variance with a smaller probability under the prior is a row's own. */
#define F_TAIL	 0.01

/* n Var(mean) of a process with variance 1. */
static double sum_of(double ar, size_t n)
{
	double sum = 1, power = 1;

	for (size_t k = 1; k < n; k++) {
		power *= ar;
		sum += 2 * (1 - (double)k / (double)n) * power;
	}
	return sum;
}

double stats_lag1_of_ar(double ar, size_t n)
{
	double m = (double)n, v = sum_of(ar, n), edge, power = 1, sum = 0;

	for (size_t k = 0; k < n; k++, power *= ar)
		sum += power;
	edge = sum / m; /* covariance of the first value and the mean */
	return ((m - 1) * ar - 2 * v + 2 * edge + (m - 1) * v / m) / (m - v);
}

double stats_ar_of_lag1(double lag1, size_t n)
{
	double lo = 0, hi = STATS_AR_MAX;

	if (isnan(lag1) || n < LAG1_MIN || lag1 <= stats_lag1_of_ar(0, n))
		return 0;
	if (lag1 >= stats_lag1_of_ar(STATS_AR_MAX, n))
		return STATS_AR_MAX;
	for (int i = 0; i < 30; i++) {
		double middle = (lo + hi) / 2;

		if (stats_lag1_of_ar(middle, n) < lag1)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

double stats_ar_inflation(double ar, size_t n)
{
	double v = sum_of(ar, n);

	return n < 2 ? 1 : v * ((double)n - 1) / ((double)n - v);
}

double stats_ar_df(double ar, size_t n)
{
	return fmax(2, (double)n * (1 - ar * ar) / (1 + ar * ar) - 1);
}

/* The y with trigamma(y) = x, by Newton's method (Smyth 2004, appendix). */
static double trigamma_inverse(double x)
{
	double y = 0.5 + 1 / x;

	if (x > 1e7)
		return 1 / sqrt(x);
	if (x < 1e-6)
		return 1 / x;
	for (int i = 0; i < 50; i++) {
		double tri = gsl_sf_psi_1(y);
		double step = tri * (1 - tri / x) / gsl_sf_psi_n(2, y);

		y += step;
		if (-step / y < 1e-8)
			break;
	}
	return y;
}

struct stats_prior stats_prior_fit(const double *variances, size_t n, double df,
				   double floor)
{
	double mean = 0, squares = 0, excess, most = (double)(n ? n - 1 : 0) * df;
	struct stats_prior prior = { 0 };

	if (n < ROWS_MIN || !(df > 0))
		return prior;
	for (size_t i = 0; i < n; i++)
		mean += log(fmax(variances[i], floor)) / (double)n;
	for (size_t i = 0; i < n; i++) {
		double apart = log(fmax(variances[i], floor)) - mean;

		squares += apart * apart;
	}
	mean += log(df / 2) - gsl_sf_psi(df / 2);
	/* Of the logarithms, more than chance makes of equal variances. */
	excess = squares / (double)(n - 1) - gsl_sf_psi_1(df / 2);
	prior.df = excess > 0 ? fmin(2 * trigamma_inverse(excess), most) : most;
	prior.variance = exp(mean + gsl_sf_psi(prior.df / 2) - log(prior.df / 2));
	return prior;
}

struct stats_prior stats_prior_apply(const struct stats_prior *prior, double variance,
				     double df)
{
	struct stats_prior own = { variance, df };

	/* Rows with little in common do not speak for each other. */
	if (!(prior->df >= fmax(1, df)) || !(prior->variance > 0))
		return own;
	if (df > 0 && gsl_cdf_fdist_Q(variance / prior->variance, df, prior->df) < F_TAIL)
		return own;
	own.df = df + prior->df;
	own.variance = (df * variance + prior->df * prior->variance) / own.df;
	return own;
}

double stats_df_of_sum(double v1, double df1, double v2, double df2)
{
	double sum = v1 + v2, parts = 0;

	if (v1 > 0)
		parts += v1 * v1 / df1;
	if (v2 > 0)
		parts += v2 * v2 / df2;
	return parts > 0 ? sum * sum / parts : fmax(df1, df2);
}
