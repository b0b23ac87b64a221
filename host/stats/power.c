/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power of comparisons and of the gate of a history. */
#include "host/stats/two_sample.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

#include "host/stats/changepoint.h"
#include "host/stats/summary.h"

/* A mean over a distribution is that over its quantiles at this many midpoints. */
#define POINTS 16

/* By simulation (host/tests/sim): the step is missed in another 3 of 100 cases. */
#define SECOND_ALONE 1.15

/*
 * From here on, the approximation of Wilson and Hilferty (1931) is right to 0.03 %. GSL's
 * quantile does not converge for some thousands of degrees of freedom.
 */
#define DF_MANY 30

static double quantile(double p, double df)
{
	double part = 2 / (9 * df);

	if (df < DF_MANY)
		return gsl_cdf_chisq_Pinv(p, df) / df;
	return pow(1 - part + gsl_cdf_ugaussian_Pinv(p) * sqrt(part), 3);
}

/* Upper limit of what all rows of a run have in common. */
#define COMMON_LIMIT 0.9

/* Quantiles of s / sigma for a standard deviation with df degrees of freedom. */
static void quantiles(double df, double out[POINTS])
{
	for (int i = 0; i < POINTS; i++)
		out[i] = isinf(df) ? 1 : sqrt(quantile((i + 0.5) / POINTS, df));
}

/* A test with its quantiles. */
struct mean {
	const struct power_test *test;
	double s[POINTS], noise[POINTS];
};

static void mean_init(struct mean *m, const struct power_test *t)
{
	m->test = t;
	quantiles(t->df, m->s);
	quantiles(t->known, m->noise);
}

static double found(const struct mean *m, double change)
{
	const struct power_test *t = m->test;
	double sum = 0;

	for (int i = 0; i < POINTS; i++)
		for (int k = 0; k < POINTS; k++) {
			/* A sample with a small deviation hides more noise. */
			double noise = 1 / m->noise[i], s = t->limit * noise * m->s[k];
			double reach = fmax(t->significant * s, t->edge + t->outside * s);

			sum += gsl_cdf_ugaussian_P((change - reach) / (t->se * noise));
		}
	return sum / (POINTS * POINTS);
}

static bool is_possible(const struct power_test *t)
{
	return t->df > 0 && t->known > 0 && isfinite(t->se) && isfinite(t->limit) &&
	       isfinite(t->significant);
}

double power_found(const struct power_test *t, double change)
{
	struct mean m;

	if (!is_possible(t))
		return 0;
	if (!(t->se > 0))
		return change > t->edge;
	mean_init(&m, t);
	return found(&m, change);
}

double power_least(const struct power_test *t, double share)
{
	double low = 0, high = fmax(t->edge, t->se);
	struct mean m;

	if (!is_possible(t))
		return INFINITY;
	if (!(t->se > 0))
		return t->edge;
	mean_init(&m, t);
	while (found(&m, high) < share) {
		low = high;
		high *= 2;
		if (isinf(high))
			return INFINITY;
	}
	for (int i = 0; i < 30; i++) {
		double middle = (low + high) / 2;

		if (found(&m, middle) < share)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double power_count(struct power_test (*test)(const void *of, size_t n), const void *of,
		   size_t least, double change, double share)
{
	size_t low = least, high = POWER_MOST;
	struct power_test t = test(of, high);

	if (power_found(&t, change) < share)
		return NAN;
	while (low < high) {
		size_t middle = (low + high) / 2;

		t = test(of, middle);
		if (power_found(&t, change) < share)
			low = middle + 1;
		else
			high = middle;
	}
	return (double)low;
}

static struct power_test impossible(void)
{
	return (struct power_test){ .se = INFINITY };
}

struct power_test power_of_runs(const void *of, size_t n)
{
	const struct power_runs *plan = of;
	double runs = (double)n, df = 2 * runs - 2, prior = plan->prior, common;
	struct power_test t;

	if (n < 2)
		return impossible();
	/*
	 * Rows that are alike add what the runs add, of which a fit finds about half;
	 * others, what they have in common.
	 */
	if (plan->rows)
		prior = (double)(plan->rows - 1) * df / 2;
	if (prior < fmax(1, df))
		prior = 0;
	/*
	 * The runs know their common part least, and it can be larger than it seems: its
	 * degrees of freedom weigh by an upper limit.
	 */
	common = plan->common;
	if (plan->common_df > 0)
		common /= quantile(1 - COMMON_LIMIT, plan->common_df);
	t = (struct power_test){
		.se = sqrt(2 / runs * (plan->own + plan->common)),
		.df = stats_df_of_sum(plan->own, df + prior, common, df),
		.known =
			stats_df_of_sum(plan->own, plan->own_df, common, plan->common_df),
		.edge = plan->band,
	};
	t.limit = t.se;
	t.significant = gsl_cdf_tdist_Qinv(plan->alpha / 2, t.df);
	t.outside = gsl_cdf_tdist_Qinv((1 - plan->level) / 2, t.df);
	return t;
}

struct power_test power_of_gate(const void *of, size_t after)
{
	const struct power_gate *gate = of;
	double before = (double)gate->before, now = (double)after;
	struct power_test t;

	if (gate->before < 2 || after < 2)
		return impossible();
	t = (struct power_test){
		.se = gate->sd * sqrt(1 / before + 1 / now),
		.df = before + now - 2,
		.known = gate->known,
		.edge = gate->least,
	};
	/* Few runs are judged one by one, against the interval of those before. */
	if (before + now < CHANGEPOINT_SHORT) {
		t.se = gate->sd * sqrt(1 / before + 1);
		t.df = before - 1;
	}
	t.limit = t.se;
	t.significant = gsl_cdf_tdist_Qinv(gate->alpha / 2, t.df);
	/* Of two runs, the second alone can look like the change. */
	if (after == 2)
		t.se *= SECOND_ALONE;
	return t;
}
