/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of changes of distribution: perfolizer's ED-PELT, modes of events and runs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <gsl/gsl_randist.h>
#include <jansson.h>

#include "host/stats/changepoint.h"
#include "host/tests/reference.h"

#define VALUES_MAX 10000
#define D	   3 /* quantiles of a run */

static const struct distribution_rules rules = { 50, 1e-4, 50 };

static size_t edpelt(const double *values, size_t n, size_t least, size_t *out)
{
	struct edpelt *e = edpelt_new(n);
	size_t found;

	cr_assert_not_null(e);
	edpelt_search(e, values, n, least, out, &found);
	edpelt_free(e);
	return found;
}

/* The reference has the last index before a change. */
static void expect_edpelt(const double *values, size_t n, size_t least,
			  const json_t *want, const char *name)
{
	static size_t got[VALUES_MAX];
	const size_t found = edpelt(values, n, least, got);

	cr_assert_eq(found, json_array_size(want), "%s: %zu changes", name, found);
	for (size_t i = 0; i < found; i++)
		cr_expect_eq((json_int_t)got[i],
			     json_integer_value(json_array_get(want, i)) + 1,
			     "%s: at %zu", name, got[i]);
}

Test(edpelt, perfolizer_cases)
{
	json_t *root = reference("changepoint/perfolizer_edpelt.json"), *one;
	static double values[VALUES_MAX];
	const char *name;
	size_t cases = 0;

	json_object_foreach(json_object_get(root, "cases"), name, one)
	{
		json_t *array = json_object_get(one, "values");
		size_t n = json_array_size(array);

		for (size_t i = 0; i < n; i++)
			values[i] = json_number_value(json_array_get(array, i));
		expect_edpelt(
			values, n,
			(size_t)json_integer_value(json_object_get(one, "min_distance")),
			json_object_get(one, "expected"), name);
		cases++;
	}
	json_object_foreach(json_object_get(root, "progressions"), name, one)
	{
		size_t n = (size_t)strtoul(name, NULL, 10);

		cr_assert_leq(n, (size_t)VALUES_MAX);
		for (size_t i = 0; i < n; i++)
			values[i] = (double)i + 1;
		expect_edpelt(values, n, 1, one, name);
		cases++;
	}
	cr_expect_eq(cases, 7);
	json_decref(root);
}

Test(edpelt, few_values)
{
	static const double values[] = { 1, 2, 3 };
	size_t got[3], found;

	for (size_t n = 0; n <= 3; n++) {
		found = edpelt(values, n, 1, got);
		cr_expect_eq(found, 0);
	}
}

/* The bimodal series of perfolizer, as figures of runs. */
Test(distribution, modes_of_runs)
{
	json_t *root = reference("changepoint/perfolizer_edpelt.json");
	json_t *array = json_object_get(
		json_object_get(json_object_get(root, "cases"), "bimodal"), "values");
	struct distribution_rules own = { 50, 1e-4, 5 };
	struct distribution_change got[200];
	double values[200];
	size_t found;

	for (size_t i = 0; i < 200; i++)
		values[i] = json_number_value(json_array_get(array, i));
	json_decref(root);
	cr_assert_eq(distribution_of_runs(values, 200, &own, got, &found), 0);
	cr_assert_eq(found, 1, "%zu changes", found);
	cr_expect_eq(got[0].index, 100);
	cr_expect_lt(got[0].pvalue, 1e-4);
	/* One mode: the figures are left to changepoint_find(). */
	for (size_t i = 0; i < 200; i++)
		values[i] = 1000 + (double)(i % 7) + (i < 100 ? 0 : 10);
	cr_assert_eq(distribution_of_runs(values, 200, &own, got, &found), 0);
	cr_expect_eq(found, 0);
}

static double vectors[400 * D];

/* Three quantiles near 1000, 1100 and 1200. */
static void fill(size_t n)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	for (size_t i = 0; i < n; i++)
		for (size_t q = 0; q < D; q++)
			vectors[i * D + q] =
				1000 + 100 * (double)q + gsl_ran_gaussian(rng, 10);
	gsl_rng_free(rng);
}

static size_t find(size_t n, struct distribution_change *got)
{
	size_t found;

	cr_assert_eq(distribution_find(vectors, n, D, &rules, got, &found), 0);
	return found;
}

Test(distribution, a_quantile_moves)
{
	struct distribution_change got[400];

	for (size_t n = 0; n <= 400; n += 5) {
		fill(n);
		cr_assert_eq(find(n, got), 0, "%zu runs", n);
	}
	fill(45);
	for (size_t i = 40; i < 45; i++)
		vectors[i * D + 2] += 1000;
	cr_assert_eq(find(45, got), 1);
	cr_expect_eq(got[0].index, 40);
	cr_expect_lt(got[0].pvalue, 1e-4);
	/* Three runs are not enough. */
	cr_expect_eq(find(43, got), 0);
}

Test(distribution, up_and_down_again_in_a_long_series)
{
	struct distribution_change got[400];

	fill(400);
	for (size_t i = 130; i < 260; i++)
		vectors[i * D] -= 200;
	cr_assert_eq(find(400, got), 2);
	cr_expect_eq(got[0].index, 130);
	cr_expect_eq(got[1].index, 260);
}

Test(distribution, outliers_are_not_a_change)
{
	struct distribution_change got[400];

	fill(60);
	for (size_t at = 1; at < 60; at++) {
		vectors[at * D + 1] += 1e6;
		cr_assert_eq(find(60, got), 0, "an outlier at %zu", at);
		vectors[(at - 1) * D + 1] += 1e6;
		cr_assert_eq(find(60, got), 0, "two outliers to %zu", at);
		vectors[at * D + 1] -= 1e6;
		vectors[(at - 1) * D + 1] -= 1e6;
	}
	/* And do not hide one. */
	for (size_t i = 40; i < 60; i++)
		vectors[i * D + 2] += 200;
	vectors[10 * D + 2] += 1e6;
	vectors[50 * D + 2] -= 1e6;
	cr_assert_eq(find(60, got), 1);
	cr_expect_eq(got[0].index, 40);
}

Test(distribution, small_changes_do_not_matter)
{
	struct distribution_change got[400];

	fill(100);
	for (size_t i = 50; i < 100; i++)
		vectors[i * D + 1] += 40;
	cr_expect_eq(find(100, got), 0);
	for (size_t i = 50; i < 100; i++)
		vectors[i * D + 1] += 40;
	cr_expect_eq(find(100, got), 1);
}

/* A quantile between two modes is in the one or in the other, from run to run. */
Test(distribution, a_quantile_on_the_edge_of_a_mode)
{
	struct distribution_change got[400];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t found = 0;

	for (int k = 0; k < 200; k++) {
		fill(100);
		for (size_t i = 0; i < 100; i++)
			if (gsl_rng_uniform(rng) < 0.5)
				vectors[i * D + 1] += 1000;
		found += find(100, got) > 0;
	}
	gsl_rng_free(rng);
	cr_expect_leq(found, 1, "%zu of 200 series", found);
}
