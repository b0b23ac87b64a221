/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a comparison of more boots or runs would find, planned from the noise of
 * documents. The tests are those of compare_judge.c and runs.c.
 */
#include "host/compare/compare_rules.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "host/stats/power.h"
#include "host/stats/two_sample.h"
#include "host/stats/variance.h"

/* Variance of a Hodges-Lehmann shift, and of a median of boots, in that of a mean. */
#define RANK_COST   (M_PI / 3)
#define MEDIAN_COST (M_PI / 2)

struct compare_plan {
	struct drift drift; /* one document */
	struct runs runs;   /* several */
	const struct result *first;
};

struct compare_plan *compare_plan_new(const struct result *const *docs, size_t n)
{
	struct compare_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		abort();
	plan->first = docs[0];
	plan->runs = (struct runs){ .docs = { docs, NULL }, .n = { n, 0 } };
	if (n > 1)
		runs_learn(&plan->runs);
	else
		plan->drift = drift_of(docs[0]);
	return plan;
}

void compare_plan_free(struct compare_plan *plan)
{
	drift_free(&plan->drift);
	runs_free(&plan->runs);
	free(plan);
}

/* The noise of one boot. */
struct boots {
	struct drift_own row;
	double shared, known; /* variance; degrees of freedom */
	const struct drift *drift;
	double alpha, band;
	size_t least;
};

/*
 * The interval of the ranks and the allowances for drift and for the row's dependence are
 * added in quadrature. The test must be significant by ranks, and by t with allowances.
 */
static struct power_test test_of_boots(const void *of, size_t n)
{
	const struct boots *b = of;
	double boots = (double)n, level = (1 - COMPARE_LEVEL) / 2;
	double ranks = 2 * RANK_COST * (b->row.variance + b->shared) / boots;
	struct drift_own row = drift_own_again(b->drift, &b->row, n);
	double own = 2 * row.variance / boots * (stats_ar_inflation(row.ar, n) - 1);
	double limit = 2 * drift_excess(b->drift, n, true), all = limit + own;
	double df = stats_df_of_sum(limit, 2 * boots - 2, own, 2 * row.df), t;
	struct power_test test = {
		.se = sqrt(ranks + own + 2 * drift_excess(b->drift, n, false)),
		.limit = sqrt(ranks + all),
		.df = 2 * boots - 2,
		.known = b->known,
		.edge = b->band,
	};

	if (n < b->least)
		return (struct power_test){ .se = INFINITY };
	t = all > 0 ? gsl_cdf_tdist_Qinv(level, df) : 0;
	test.outside = sqrt(gsl_cdf_tdist_Qinv(level, test.df) *
				    gsl_cdf_tdist_Qinv(level, test.df) * ranks +
			    t * t * all) /
		       test.limit;
	t = all > 0 ? gsl_cdf_tdist_Qinv(b->alpha / 2, df) : 0;
	test.significant = fmax(t, gsl_cdf_tdist_Qinv(b->alpha / 2, test.df) *
					   sqrt(ranks) / test.limit);
	return test;
}

static bool plan_boots(const struct compare_plan *plan, const struct result_metric *m,
		       const struct compare_wish *wish, size_t rows,
		       struct compare_found *out)
{
	struct drift_own own = drift_own_of(&plan->drift, m);
	double shared = plan->drift.sd * plan->drift.sd;
	struct boots b = {
		.row = own,
		.shared = shared,
		.known = stats_df_of_sum(own.variance, own.df, shared,
					 (double)plan->drift.rounds - 1),
		.drift = &plan->drift,
		.alpha = COMPARE_ALPHA / (double)rows,
		.band = wish->band,
		.least = stats_least_values(COMPARE_ALPHA, rows),
	};
	struct power_test test;

	if (!(own.df > 0) || !(own.variance + shared > 0))
		return false;
	test = test_of_boots(&b, wish->boots);
	out->least = power_least(&test, wish->share);
	for (size_t k = 0; k < wish->n_changes; k++)
		out->need[k] =
			power_count(test_of_boots, &b, 2, wish->changes[k], wish->share);
	return true;
}

static bool plan_runs(const struct compare_plan *plan, const char *name,
		      const char *config, const struct compare_wish *wish, size_t rows,
		      struct compare_found *out)
{
	const struct runs *runs = &plan->runs;
	double most = (double)(runs->rows ? runs->rows - 1 : 0) * runs->df, fewer;
	struct stats_prior own;
	struct power_runs p;
	struct power_test test;

	if (!runs_noise(runs, name, config, &own))
		return false;
	/* The runs of the plan can have other numbers of boots. */
	fewer = MEDIAN_COST * wish->boot * wish->boot *
		(1 / (double)wish->boots - 1 / wish->boots_now);
	p = (struct power_runs){
		.own = fmax(own.variance + fewer, fmax(1e-12, own.variance / 100)),
		.common = runs->variance,
		.own_df = own.df,
		.common_df = runs->df,
		.prior = runs->own.df,
		.rows = runs->own.df >= most * (1 - 1e-9) ? runs->rows : 0,
		.alpha = COMPARE_ALPHA / (double)rows,
		.level = COMPARE_LEVEL,
		.band = wish->band,
	};
	test = power_of_runs(&p, wish->runs);
	out->least = power_least(&test, wish->share);
	for (size_t k = 0; k < wish->n_changes; k++)
		out->need[k] =
			power_count(power_of_runs, &p, 2, wish->changes[k], wish->share);
	return true;
}

bool compare_plan_row(const struct compare_plan *plan, const char *name,
		      const char *config, const struct compare_wish *wish, size_t rows,
		      struct compare_found *out)
{
	const struct result_benchmark *b = result_find(plan->first, name, config);
	const struct result_metric *m = b ? result_find_metric(b, "round_trip") : NULL;

	if (!m)
		return false;
	return plan->runs.n[0] > 1 ? plan_runs(plan, name, config, wish, rows, out)
				   : plan_boots(plan, m, wish, rows, out);
}
