/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Variances: of the mean of values that depend on the values before them, and of many
 * rows with few values each. Pure functions, no I/O.
 */
#ifndef WS_STATS_VARIANCE_H
#define WS_STATS_VARIANCE_H

#include <stddef.h>

/*
 * The coefficient of the AR(1) process whose `n` values have the stats_autocorrelation()
 * `lag1`, in expectation (ratio of the expectations; Box, Jenkins and
 * Reinsel, Time Series Analysis, 2.1). The expectation is below the coefficient, most of
 * all for few values: -1/n for independent values. 0 to STATS_AR_MAX.
 */
#define STATS_AR_MAX 0.97
double stats_ar_of_lag1(double lag1, size_t n);
double stats_lag1_of_ar(double ar, size_t n);

/*
 * Var(mean) / (E(s^2) / n) for n values of an AR(1) process: the factor by which the
 * naive variance of a mean is too small. 1: independent values.
 */
double stats_ar_inflation(double ar, size_t n);

/* Degrees of freedom that are left to the variance of n values of an AR(1) process; >= 2.
 */
double stats_ar_df(double ar, size_t n);

/*
 * What the variances of many rows have in common: a scaled inverse chi-squared prior with
 * `df` degrees of freedom about `variance` (Smyth, Linear models and empirical Bayes
 * methods, 2004; limma's fitFDist). df 0: no prior.
 */
struct stats_prior {
	double variance, df;
};

/*
 * From the variances of `n` rows with `df` degrees of freedom each. Variances below
 * `floor` > 0 are raised to it. The prior has at most the degrees of freedom of the other
 * rows. Fewer than three rows: none.
 */
struct stats_prior stats_prior_fit(const double *variances, size_t n, double df,
				   double floor);

/*
 * The variance of one row under a prior: the mean of both, weighted by the degrees of
 * freedom. A prior with fewer degrees of freedom than the row is not used: the
 * rows have little in common. A row that is too variable for the prior (above the 99 %
 * quantile of F) keeps its own variance.
 */
struct stats_prior stats_prior_apply(const struct stats_prior *prior, double variance,
				     double df);

/* Degrees of freedom of a sum of two variances of estimates (Satterthwaite, 1946). */
double stats_df_of_sum(double v1, double df1, double v2, double df2);

#endif
