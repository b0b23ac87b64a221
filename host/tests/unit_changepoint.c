/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of change points: results of Apache Otava, and our rules. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "host/stats/changepoint.h"
#include "host/stats/two_sample.h"
#include "host/tests/reference.h"

#define VALUES_MAX 4096

/* The defaults of Apache Otava and of wsbench. */
static const struct changepoint_rules otava_rules = {
	.window = 50,
	.pvalue = 1e-3,
	.otava = true,
};
static const struct changepoint_rules our_rules = {
	.window = 50,
	.pvalue = 1e-4,
	.magnitude = 0.01,
	.quantum = 1,
	.quanta = 2,
};

static size_t doubles(const json_t *array, double *out)
{
	size_t n = json_array_size(array);

	cr_assert(n > 0 && n <= VALUES_MAX);
	for (size_t i = 0; i < n; i++)
		out[i] = json_number_value(json_array_get(array, i));
	return n;
}

static void expect_close(double got, double want, double relative, const char *what,
			 size_t at)
{
	cr_expect(fabs(got - want) <= relative * fabs(want),
		  "%s of the change at %zu: got %.17g, want %.17g", what, at, got, want);
}

static size_t find(const double *values, size_t n, const struct changepoint_rules *rules,
		   struct changepoint *out)
{
	size_t found;

	cr_assert_eq(changepoint_find(values, n, rules, out, &found, NULL), 0);
	return found;
}

static double member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	cr_assert(json_is_number(value), "no number %s", key);
	return json_number_value(value);
}

/* Each index, and each p and mean within floating-point accuracy. */
static void expect_otava(const double *values, size_t n, const json_t *want,
			 const struct changepoint_rules *rules)
{
	static struct changepoint got[VALUES_MAX];
	size_t found = find(values, n, rules, got);

	cr_expect_eq(found, json_array_size(want),
		     "window %zu p %g magnitude %g: %zu, not %zu change points",
		     rules->window, rules->pvalue, rules->magnitude, found,
		     json_array_size(want));
	for (size_t i = 0; i < found && i < json_array_size(want); i++) {
		const json_t *w = json_array_get(want, i);

		cr_expect_eq((double)got[i].index, member(w, "index"));
		expect_close(got[i].pvalue, member(w, "pvalue"), 1e-8, "p", got[i].index);
		expect_close(got[i].before, member(w, "mean_before"), 1e-12,
			     "mean before", got[i].index);
		expect_close(got[i].after, member(w, "mean_after"), 1e-12, "mean after",
			     got[i].index);
	}
}

static void expect_otava_cases(const double *values, size_t n, const json_t *cases)
{
	cr_assert_gt(json_array_size(cases), 0);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		struct changepoint_rules rules = {
			.window = (size_t)member(c, "window_len"),
			.pvalue = member(c, "max_pvalue"),
			.magnitude = member(c, "min_magnitude"),
			.otava = true,
		};

		expect_otava(values, n, json_object_get(c, "expected"), &rules);
	}
}

Test(otava, small_series)
{
	json_t *root = reference("changepoint/otava_small.json"), *one;
	double values[VALUES_MAX];
	const char *name;

	json_object_foreach(json_object_get(root, "series"), name, one)
		expect_otava_cases(values,
				   doubles(json_object_get(one, "values"), values),
				   json_object_get(one, "otava_cases"));
	json_decref(root);
}

Test(otava, tigerbeetle)
{
	json_t *root = reference("changepoint/otava_tigerbeetle.json");
	double values[VALUES_MAX];

	expect_otava_cases(values, doubles(json_object_get(root, "series"), values),
			   json_object_get(root, "otava_cases"));
	json_decref(root);
}

static void expect_indexes(const double *values, size_t n, const json_t *want,
			   const struct changepoint_rules *rules, const char *name)
{
	static struct changepoint got[VALUES_MAX];
	size_t found = find(values, n, rules, got);

	cr_expect_eq(found, json_array_size(want), "%s: %zu change points", name, found);
	for (size_t i = 0; i < found && i < json_array_size(want); i++)
		cr_expect_eq((json_int_t)got[i].index,
			     json_integer_value(json_array_get(want, i)), "%s: at %zu",
			     name, got[i].index);
}

Test(otava, mongodb_cases)
{
	json_t *root = reference("changepoint/mongodb_detection.json"), *one;
	double values[VALUES_MAX];
	const char *name;

	json_object_foreach(json_object_get(root, "cases"), name, one) expect_indexes(
		values, doubles(json_object_get(one, "values"), values),
		json_object_get(one, "otava_w50_p0.001_m0"), &otava_rules, name);
	json_decref(root);
}

Test(otava, mongodb_series)
{
	static const char *const files[] = { "changepoint/mongodb_small.json",
					     "changepoint/mongodb_medium.json",
					     "changepoint/mongodb_long_series.json" };
	double values[VALUES_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		json_t *root = reference(files[i]);

		expect_indexes(values, doubles(json_object_get(root, "values"), values),
			       json_object_get(root, "otava_w50_p0.001_m0"), &otava_rules,
			       files[i]);
		json_decref(root);
	}
}

/* The published change points of MongoDB's long series. */
Test(ours, long_series)
{
	json_t *root = reference("changepoint/mongodb_long_series.json");
	struct changepoint_rules rules = our_rules;
	double values[VALUES_MAX];

	rules.quantum = 0;
	expect_indexes(values, doubles(json_object_get(root, "values"), values),
		       json_object_get(root, "mongodb_edivisive_p0.01_perm100_seed1234"),
		       &rules, "long");
	json_decref(root);
}

/* {0 0 1} | {9 9}: 2/5 (all distances 53 - 2/2 * 2 - 0) by hand. */
Test(divisive, by_hand)
{
	static const double values[] = { 0, 0, 1, 9, 9 };
	struct divisive *d = divisive_new(values, 5);
	double statistic;

	cr_assert(d);
	cr_expect_eq(divisive_split(d, 0, 5, &statistic), 3);
	/* across: 9 + 9 + 9 + 9 + 8 + 8 = 52; pairs on the left: 0 + 1 + 1 = 2 */
	cr_expect_float_eq(statistic, 2.0 / 5 * (52 - 2.0 / 2 * 2), 1e-12);
	/* A part of the window has the split of that part alone. */
	cr_expect_eq(divisive_split(d, 1, 4, &statistic), 3);
	cr_expect_float_eq(statistic, 2.0 / 3 * (17 - 1.0 / 1 * 1), 1e-12);
	divisive_free(d);
}

/* Means 2 and 6, variances 1 and 1, 3 values each: t = 4 / sqrt(2 / 3), 4 df. */
Test(student, by_hand)
{
	static const double left[] = { 1, 2, 3 }, right[] = { 5, 6, 7 };
	struct student_sample a = student_sample(left, 3, 1);
	struct student_sample b = student_sample(right, 3, 1);
	struct student_sample one = { .n = 1, .mean = 2 };

	cr_expect(a.mean == 2 && a.variance == 1 && b.mean == 6);
	cr_expect_float_eq(student_p(&a, &b, 0), 0.00804989310083772, 1e-12);
	cr_expect_eq(student_p(&one, &one, 0), 1, "two values say nothing");
	cr_expect_eq(student_p(&a, &a, 0), 1);
}

static void fill(double *values, size_t from, size_t to, double value)
{
	while (from < to)
		values[from++] = value;
}

/* Steps of one quantum or of less than 1 % are not changes. */
Test(ours, quanta_and_magnitude)
{
	struct changepoint out[64];
	double values[60];

	fill(values, 0, 30, 50);
	fill(values, 30, 60, 51);
	cr_expect_eq(find(values, 60, &our_rules, out), 0, "2 %%, but one quantum");
	fill(values, 0, 30, 5000);
	fill(values, 30, 60, 5040);
	cr_expect_eq(find(values, 60, &our_rules, out), 0, "40 quanta, but 0.8 %%");
	fill(values, 30, 60, 5060);
	cr_expect_eq(find(values, 60, &our_rules, out), 1);
	cr_expect(out[0].index == 30 && out[0].before == 5000 && out[0].after == 5060);
	cr_expect(out[0].pvalue > 0, "figures in steps are not without variance");
}

/* Periodic noise: -2 .. 2 around `level`. */
static void noise(double *values, size_t from, size_t to, double level)
{
	static const int steps[] = { 0, 1, -2, 2, -1, 1, 0, -1, 2, -2, 1 };

	for (size_t i = from; i < to; i++)
		values[i] = level + steps[i % 11];
}

Test(ours, finds_steps_in_noise)
{
	struct changepoint out[400];
	double values[400];

	noise(values, 0, 150, 1000);
	cr_expect_eq(find(values, 150, &our_rules, out), 0);
	noise(values, 150, 310, 1030);
	noise(values, 310, 400, 990);
	cr_assert_eq(find(values, 400, &our_rules, out), 2);
	cr_expect_eq(out[0].index, 150);
	cr_expect_eq(out[1].index, 310);
	cr_expect_float_eq(out[1].after - out[1].before, -40, 0.5);
}

/* The newest value alone is an outlier or a change; two values are a change. */
Test(ours, last_value)
{
	struct changepoint out[51];
	double values[51];

	noise(values, 0, 49, 1000);
	values[49] = 1100;
	cr_assert_eq(find(values, 50, &our_rules, out), 1);
	cr_expect(out[0].index == 49 && out[0].single);
	cr_expect(out[0].after == 1100 && fabs(out[0].before - 1000) < 1);
	values[50] = 1101;
	cr_assert_eq(find(values, 51, &our_rules, out), 1);
	cr_expect(out[0].index == 49 && !out[0].single);
	values[50] = 1001;
	cr_expect_eq(find(values, 51, &our_rules, out), 0);
}

/* Outliers, also two that are neighbours, neither hide a step nor are one. */
Test(ours, outliers_are_set_aside)
{
	struct changepoint out[40];
	bool outlier[40];
	double values[40];
	size_t n, marked = 0;

	noise(values, 0, 20, 1000);
	noise(values, 20, 40, 1020);
	values[7] = 1300;
	values[29] = 1200;
	values[30] = 1250;
	cr_assert_eq(changepoint_find(values, 40, &our_rules, out, &n, outlier), 0);
	cr_assert_eq(n, 1);
	cr_expect(out[0].index == 20 && !out[0].single);
	cr_expect(fabs(out[0].before - 1000) < 1 && fabs(out[0].after - 1020) < 1,
		  "%g, %g", out[0].before, out[0].after);
	for (size_t i = 0; i < 40; i++)
		marked += outlier[i];
	cr_expect(marked == 3 && outlier[7] && outlier[29] && outlier[30]);
}

/* The index of a change is that of the series, outliers included. */
Test(ours, outliers_do_not_move_a_change)
{
	struct changepoint out[40];
	double values[40];

	noise(values, 0, 20, 1000);
	noise(values, 20, 40, 1050);
	values[0] = values[1] = 1500;
	values[19] = 900;
	cr_assert_eq(find(values, 40, &our_rules, out), 1);
	cr_expect_eq(out[0].index, 20);
}

/* Many values far from their neighbours are a second mode: nothing is set aside. */
Test(ours, modes_are_not_outliers)
{
	struct changepoint out[60];
	bool outlier[60];
	double values[60];
	size_t n;

	noise(values, 0, 60, 1000);
	for (size_t i = 2; i < 60; i += 5)
		values[i] += 80;
	cr_assert_eq(changepoint_find(values, 60, &our_rules, out, &n, outlier), 0);
	cr_expect_eq(n, 0);
	for (size_t i = 0; i < 60; i++)
		cr_expect_not(outlier[i]);
}

/*
 * 30 % of the values in a second mode, 5 % up, at random: where only a few of them stand
 * alone, the others would look like a change if these were set aside (21 of 1,999
 * series).
 */
Test(ours, a_second_mode_is_not_a_change)
{
	struct changepoint out[60];
	size_t found, changes = 0;
	double values[60];

	for (unsigned int seed = 1; seed < 2000; seed++) {
		uint32_t x = seed;

		for (size_t i = 0; i < 60; i++) {
			x = x * 1664525u + 1013904223u;
			values[i] = 99.2 + 1.6 * (double)(x >> 20) / 4096;
			x = x * 1664525u + 1013904223u;
			values[i] += (x >> 16) % 10 < 3 ? 5 : 0;
		}
		cr_assert_eq(changepoint_find(values, 60, &our_rules, out, &found, NULL),
			     0);
		changes += found > 0;
	}
	cr_expect_leq(changes, 10, "%zu", changes);
}

/* Changes within a ramp belong to a trend; steps up, and up and down, do not. */
Test(ours, trends_and_steps_are_different)
{
	struct changepoint out[120];
	double values[120];
	size_t n;

	noise(values, 0, 60, 1000);
	for (size_t i = 0; i < 60; i++)
		values[i] += (double)i;
	n = find(values, 60, &our_rules, out);
	cr_assert_geq(n, 2);
	changepoint_trends(values, NULL, 60, 50, out, n);
	for (size_t k = 0; k < n; k++)
		cr_expect_float_eq(out[k].trend, 1, 0.1, "change %zu: %g", k,
				   out[k].trend);
	noise(values, 0, 40, 1000);
	noise(values, 40, 80, 1030);
	noise(values, 80, 120, 1060);
	n = find(values, 120, &our_rules, out);
	cr_assert_eq(n, 2);
	changepoint_trends(values, NULL, 120, 50, out, n);
	cr_expect(out[0].trend == 0 && out[1].trend == 0);
	noise(values, 80, 120, 990);
	n = find(values, 120, &our_rules, out);
	cr_assert_eq(n, 2);
	changepoint_trends(values, NULL, 120, 50, out, n);
	cr_expect(out[0].trend == 0 && out[1].trend == 0);
}

/* Squares of such values are beyond the range of a double. */
Test(ours, very_large_and_small_values)
{
	const double scales[] = { 1e163, 1e300, 1e-170, 1 };
	struct changepoint_rules rules = our_rules;
	struct changepoint out[40];
	double values[40], pvalue = 0;

	rules.quantum = 0;
	for (size_t k = 4; k-- > 0;) {
		noise(values, 0, 20, 1000);
		noise(values, 20, 40, 1030);
		for (size_t i = 0; i < 40; i++)
			values[i] *= scales[k];
		cr_assert_eq(find(values, 40, &rules, out), 1, "%g", scales[k]);
		cr_expect_eq(out[0].index, 20);
		cr_expect(fabs(out[0].before / scales[k] / 1000 - 1) < 0.001);
		pvalue = pvalue > 0 ? pvalue : out[0].pvalue;
		cr_expect(fabs(out[0].pvalue / pvalue - 1) < 1e-6, "%g: %g, %g",
			  scales[k], out[0].pvalue, pvalue);
	}
}

/* The merge joins long stretches by their moments. */
Test(ours, sawtooth_becomes_few_changes)
{
	enum { N = 40000 };
	double *values = calloc(N, sizeof(*values));
	struct changepoint *out = calloc(N, sizeof(*out));

	for (size_t i = 0; i < N; i++)
		values[i] = 1000 + (i / 8 % 2 ? 20 : 0) + (double)(i % 3) +
			    (i >= N / 2 ? 300 : 0);
	cr_assert_geq(find(values, N, &our_rules, out), 1);
	free(values);
	free(out);
}

Test(ours, few_values_are_predicted)
{
	/* sd 1.58: of 5 values, p 1e-4 takes 15.54 sd sqrt(1 + 1/5) = 26.9 */
	double inside[] = { 998, 999, 1000, 1001, 1002, 1026 };
	double outside[] = { 998, 999, 1000, 1001, 1002, 1027 };
	struct changepoint out[12];

	cr_expect_eq(find(inside, 6, &our_rules, out), 0);
	cr_assert_eq(find(outside, 6, &our_rules, out), 1);
	cr_expect(out[0].index == 5 && out[0].single);
	cr_expect_lt(out[0].pvalue, 1e-4);
}

Test(ours, two_of_few_values_are_a_change)
{
	const double values[] = { 998, 999, 1000, 1001, 1002, 1050, 1051, 1049 };
	struct changepoint out[8];
	bool outlier[8];
	size_t n;

	cr_assert_eq(changepoint_find(values, 8, &our_rules, out, &n, outlier), 0);
	cr_assert_eq(n, 1);
	cr_expect(out[0].index == 5 && !out[0].single && !outlier[5]);
	cr_expect(out[0].before == 1000 && out[0].after == 1050);
}

/* Two values are not enough for a prediction interval. */
Test(ours, too_few_values_are_not_judged)
{
	double values[] = { 1000, 2000, 500 };
	struct changepoint out[3];

	for (size_t n = 0; n <= 3; n++)
		cr_expect_eq(find(values, n, &our_rules, out), 0);
}

/* A single outlier is not a change. */
Test(ours, few_values_with_an_outlier)
{
	double values[] = { 998, 999, 1000, 1001, 1002, 1100, 1000, 999, 1001, 1000 };
	struct changepoint out[10];
	bool outlier[10];
	size_t n;

	cr_assert_eq(changepoint_find(values, 10, &our_rules, out, &n, outlier), 0);
	cr_expect_eq(n, 0);
	for (size_t i = 0; i < 10; i++)
		cr_expect_eq(outlier[i], i == 5);
}

Test(ranges, every_change_of_a_value_is_a_change_point)
{
	double values[] = { 989, 989, 990, 990, 989 };
	struct changepoint out[5];

	cr_assert_eq(changepoint_ranges(values, values, 5, out), 2);
	cr_expect(out[0].index == 2 && out[0].before == 989 && out[0].after == 990);
	cr_expect(out[1].index == 4 && out[1].before == 990 && out[1].after == 989);
	cr_expect_eq(changepoint_ranges(values, values, 0, out), 0);
	cr_expect_eq(changepoint_ranges(values, values, 1, out), 0);
}

/* Ranges that overlap, touch, are nested; then disjoint, by their nearest ends. */
Test(ranges, that_overlap_are_none)
{
	double lo[] = { 3066, 3067, 3066, 3067, 3069, 3070, 3060 };
	double hi[] = { 3067, 3068, 3069, 3067, 3072, 3070, 3069 };
	struct changepoint out[7];

	cr_assert_eq(changepoint_ranges(lo, hi, 7, out), 2);
	cr_expect(out[0].index == 4 && out[0].before == 3067 && out[0].after == 3069);
	cr_expect(out[1].index == 6 && out[1].before == 3070 && out[1].after == 3069);
}

/* Each range overlaps the one before, but the last is disjoint from the first. */
Test(ranges, that_creep_are_found)
{
	double lo[] = { 1, 2, 3, 4 }, hi[] = { 2, 3, 4, 5 };
	struct changepoint out[4];

	cr_assert_eq(changepoint_ranges(lo, hi, 4, out), 1);
	cr_expect(out[0].index == 2 && out[0].before == 2 && out[0].after == 3);
}
