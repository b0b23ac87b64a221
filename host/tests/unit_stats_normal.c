/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of Welch, prediction intervals, outliers, variance, boots needed. */
#include <errno.h>

#include "host/stats/normal.h"
#include "host/stats/power.h"
#include "host/stats/variance.h"
#include "host/tests/stats_fixture.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Welch */

/*
 * 1 2 3 against 4 6 8: means 2 and 6, variances 1 and 4, so se^2 = 1/3 + 4/3 and
 * t = -4 / sqrt(5/3); df = (5/3)^2 / ((1/9 + 16/9) / 2) = 50/17.
 */
Test(welch, by_hand)
{
	static const double x[] = { 1, 2, 3 }, y[] = { 4, 6, 8 };
	struct stats_welch w;

	cr_assert_eq(stats_welch(x, 3, y, 3, 0.95, &w), 0);
	expect_close(w.t, -4 / sqrt(5.0 / 3));
	expect_close(w.df, 50.0 / 17);
	expect_close(w.lo + w.hi, -8);
	cr_expect(w.p > 0.05 && w.lo < -4 && w.hi > 0, "not significant: 0 is inside");
	cr_expect_eq(stats_welch(x, 1, y, 3, 0.95, &w), -ERANGE);
	cr_expect_eq(stats_welch((double[]){ 1, 1 }, 2, (double[]){ 2, 2 }, 2, 0.95, &w),
		     -ERANGE);
}

Test(welch, agrees_with_R)
{
	json_t *root = shared("r_reference.json");
	json_t *ref = json_object_get(root, "welch"), *ci = json_object_get(ref, "ci");
	json_t *pairs = json_object_get(root, "paired");
	double a[SAMPLES_MAX], b[SAMPLES_MAX];
	size_t n = members(pairs, "a", a);
	struct stats_welch w;

	cr_assert_eq(stats_welch(a, n, b, members(pairs, "b", b), 0.95, &w), 0);
	expect_close(w.t, number(ref, "t"));
	expect_close(w.df, number(ref, "df"));
	expect_close(w.p, number(ref, "p"));
	expect_close(w.lo, json_number_value(json_array_get(ci, 0)));
	expect_close(w.hi, json_number_value(json_array_get(ci, 1)));
	json_decref(root);
}

/* prediction */

/* t(0.975, 1) = tan(0.475 pi); 2 values: sqrt(1 + 1/2). */
Test(prediction, by_hand)
{
	double lo, hi, reach = tan(0.475 * M_PI) * 2 * sqrt(1.5);

	cr_assert_eq(stats_prediction(10, 2, 2, 0.95, &lo, &hi), 0);
	expect_close(lo, 10 - reach);
	expect_close(hi, 10 + reach);
	cr_expect_eq(stats_prediction(10, 2, 1, 0.95, &lo, &hi), -ERANGE);
}

/* Its boundary is one-sided, and rounded to two digits. */
Test(prediction, agrees_with_bencher)
{
	json_t *root = shared("vectors.json");
	json_t *ref = json_array_get(
		json_object_get(json_object_get(root, "bencher_boundary"), "cases"), 0);
	double lo, hi;

	cr_assert_eq(stats_prediction(number(ref, "mean"), number(ref, "sd"),
				      (size_t)number(ref, "n"),
				      2 * number(ref, "boundary") - 1, &lo, &hi),
		     0);
	cr_expect_lt(fabs(lo - number(ref, "lower")), 0.005);
	cr_expect_lt(fabs(hi - number(ref, "upper")), 0.005);
	json_decref(root);
}

/* fences */

/* 1 to 8: quartiles 2.75 and 6.25, so the fences are -2.5 and 11.5, -7.75 and 16.75. */
Test(fences, by_hand)
{
	double values[] = { -8, -3, 1, 2, 3, 4, 5, 6, 7, 8, 12, 17 };
	struct stats_fences f;

	stats_fences(values + 2, 8, &f);
	expect_close(f.lo, -2.5);
	expect_close(f.hi, 11.5);
	cr_expect_eq(f.low_severe + f.low_mild + f.high_mild + f.high_severe, 0);
	/* With all of them: quartiles 1.75 and 7.25; -6.5 15.5; -14.75 23.75 */
	stats_fences(values, 12, &f);
	expect_close(f.lo, -6.5);
	cr_expect(f.low_severe == 0 && f.low_mild == 1);
	cr_expect(f.high_mild == 1 && f.high_severe == 0);
	values[11] = 24;
	stats_fences(values, 12, &f);
	cr_expect(f.high_mild == 0 && f.high_severe == 1);
	values[0] = -15;
	stats_fences(values, 12, &f);
	cr_expect(f.low_mild == 0 && f.low_severe == 1);
}

Test(fences, agrees_with_catch2)
{
	json_t *root = shared("vectors.json"), *row;
	json_t *rows = json_object_get(json_object_get(root, "catch2"), "tukey_3fence");
	double values[SAMPLES_MAX];
	size_t i;

	cr_assert_eq(json_array_size(rows), 6);
	json_array_foreach(rows, i, row)
	{
		size_t n = members(row, "x", values);
		struct stats_fences f;

		qsort(values, n, sizeof(*values), ascending);
		stats_fences(values, n, &f);
		cr_expect_eq((double)f.low_severe, number(row, "los"));
		cr_expect_eq((double)f.low_mild, number(row, "lom"));
		cr_expect_eq((double)f.high_mild, number(row, "him"));
		cr_expect_eq((double)f.high_severe, number(row, "his"));
	}
	json_decref(root);
}

/* generalised ESD */

Test(esd, finds_what_was_planted)
{
	double values[20];
	size_t which[3], n;

	for (int i = 0; i < 20; i++)
		values[i] = (i * 7) % 20;
	cr_assert_eq(stats_esd(values, 20, 3, 0.05, which, NULL, NULL, &n), 0);
	cr_expect_eq(n, 0, "20 even steps have no outlier");
	values[4] = 100;
	values[11] = -60;
	cr_assert_eq(stats_esd(values, 20, 3, 0.05, which, NULL, NULL, &n), 0);
	cr_expect_eq(n, 2);
	cr_expect(which[0] == 4 && which[1] == 11);
}

/* A second outlier of the same kind hides the first from a test for one only. */
Test(esd, is_not_masked)
{
	double values[20] = { 0 };
	size_t which[5], n;

	for (int i = 0; i < 18; i++)
		values[i] = (i * 5) % 18;
	values[18] = 80;
	values[19] = 81;
	cr_assert_eq(stats_esd(values, 20, 5, 0.05, which, NULL, NULL, &n), 0);
	cr_expect_eq(n, 2);
	cr_expect(which[0] == 19 && which[1] == 18);
}

Test(esd, constants_and_too_few)
{
	static const double same[10];
	size_t which[10], n;

	cr_assert_eq(stats_esd(same, 10, 7, 0.05, which, NULL, NULL, &n), 0);
	cr_expect_eq(n, 0);
	cr_expect_eq(stats_esd(same, 10, 8, 0.05, which, NULL, NULL, &n), -ERANGE);
}

Test(esd, agrees_with_NIST)
{
	json_t *ref = shared("gesd_rosner.json");
	double values[SAMPLES_MAX], r[10], lambda[10], want[SAMPLES_MAX];
	size_t n = members(ref, "values", values), which[10], outliers;

	cr_assert_eq(stats_esd(values, n, 10, 0.05, which, r, lambda, &outliers), 0);
	cr_expect_eq(outliers, 3);
	cr_assert_eq(members(ref, "R", want), 10);
	for (size_t i = 0; i < 10; i++)
		cr_expect_lt(fabs(r[i] - want[i]), 6e-4);
	members(ref, "lambda", want);
	for (size_t i = 0; i < 10; i++)
		cr_expect_lt(fabs(lambda[i] - want[i]), 6e-4);
	members(ref, "indexes", want);
	for (size_t i = 0; i < 10; i++)
		cr_expect_eq((double)which[i], want[i]);
	json_decref(ref);
}

/* hierarchical variance */

/* Two boots of two events: 1 3 | 5 9. Within: (2 + 8) / 2; means 2 and 7: 12.5. */
Test(variance, by_hand)
{
	static const double values[] = { 1, 3, 5, 9 };
	const struct stats_levels levels = { 2, { 2, 2 } };
	const struct stats_levels none = { 0 }, one = { 1, { 1 } };
	struct stats_variance v;

	cr_assert_eq(stats_variance(values, &levels, &v), 0);
	expect_close(v.mean, 4.5);
	expect_close(v.s2[0], 5);
	expect_close(v.t2[0], 5);
	expect_close(v.s2[1], 12.5);
	expect_close(v.t2[1], 12.5 - 5.0 / 2);
	cr_expect_eq(stats_variance(values, &none, &v), -EINVAL);
	cr_expect_eq(stats_variance(values, &one, &v), -EINVAL);
}

/* Ten times dearer boots, events that vary four times as much: sqrt(40). */
Test(variance, best_repetition)
{
	const struct stats_variance v = { .t2 = { 4, 1, -1 } };
	static const double cost[] = { 1, 10, 100 };

	expect_close(stats_best_reps(&v, 0, cost), sqrt(40));
	cr_expect(isnan(stats_best_reps(&v, 1, cost)));
}

static size_t flatten(const json_t *value, double *out)
{
	size_t n = 0;

	if (json_is_number(value)) {
		*out = json_number_value(value);
		return 1;
	}
	for (size_t i = 0; i < json_array_size(value); i++)
		n += flatten(json_array_get(value, i), out + n);
	return n;
}

/* The papers' example gives one decimal, or as many digits as are there. */
Test(variance, agrees_with_kalibera)
{
	json_t *root = shared("vectors.json"), *row, *want;
	double values[SAMPLES_MAX], reps[SAMPLES_MAX];
	size_t i, checked = 0;

	json_array_foreach(json_object_get(json_object_get(root, "kalibera"), "cases"), i,
			   row)
	{
		double tolerance = json_object_get(row, "rounded_to") ? 0.051 : 1e-4;
		struct stats_levels levels = { 0 };
		struct stats_variance v;
		const char *key;

		levels.n = members(row, "levels_high_to_low", reps);
		for (size_t k = 0; k < levels.n; k++)
			levels.reps[k] = (size_t)reps[k];
		flatten(json_object_get(row, "data"), values);
		cr_assert_eq(stats_variance(values, &levels, &v), 0);
		json_object_foreach(json_object_get(row, "T2"), key, want)
		{
			cr_expect_lt(fabs(v.t2[atoi(key) - 1] - json_number_value(want)),
				     tolerance);
			checked++;
		}
		json_object_foreach(json_object_get(row, "S2"), key, want) cr_expect_lt(
			fabs(v.s2[atoi(key) - 1] - json_number_value(want)), tolerance);
		if (i == 2) {
			static const double low_to_high[] = { 3, 20, 100 };

			cr_expect_lt(fabs(stats_best_reps(&v, 0, low_to_high) - 4.2937),
				     1e-4);
			cr_expect_lt(fabs(stats_best_reps(&v, 1, low_to_high) - 1.3023),
				     1e-4);
		}
	}
	cr_expect_eq(checked, 8);
	json_decref(root);
}

/* how many boots */

/* 2 / 2^8 <= 0.01 < 2 / 2^7; for ten tests 2 / 2^11 <= 0.001 < 2 / 2^10. */
Test(power, least_pairs)
{
	cr_expect_eq(stats_least_pairs(0.01, 1), 8);
	cr_expect_eq(stats_least_pairs(0.01, 10), 11);
	cr_expect_eq(stats_least_pairs(1, 1), 1);
}

/* 2 / C(10, 5) = 0.0079 <= 0.01 < 2 / C(8, 4); for ten: 2 / C(14, 7) = 0.0006. */
Test(power, least_values)
{
	cr_expect_eq(stats_least_values(0.01, 1), 5);
	cr_expect_eq(stats_least_values(0.01, 10), 7);
}

/* 10 boots reach 4 to each side; the edge is 2 away: twice as narrow, 40 boots. */
Test(power, width_goes_with_the_root)
{
	struct stats_power p = {
		.shift = 12,
		.lo = 8,
		.hi = 16,
		.band = 10,
		.boots = 10,
		.alpha = 0.01,
		.family = 1,
	};

	cr_expect_eq(stats_boots_needed(&p), 40);
	p.shift = -12;
	p.lo = -16;
	p.hi = -8;
	cr_expect_eq(stats_boots_needed(&p), 40);
	/* Inside the band, to be the same. */
	p.shift = 8;
	p.lo = 4;
	p.hi = 12;
	cr_expect_eq(stats_boots_needed(&p), 40);
	/* On its edge there is no deciding. */
	p.shift = 10;
	cr_expect(isnan(stats_boots_needed(&p)));
	/* Clear of the edge already: significance was what lacked. */
	p.shift = 100;
	p.lo = 96;
	p.hi = 104;
	p.boots = 6;
	p.paired = true;
	cr_expect_eq(stats_boots_needed(&p), 8);
	p.lo = NAN;
	cr_expect_eq(stats_boots_needed(&p), 8);
}
