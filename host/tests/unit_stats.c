/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of quantiles, moments, histograms and intervals. */
#include <errno.h>

#include "host/stats/summary.h"
#include "host/tests/stats_fixture.h"

static size_t integers(const json_t *array, int64_t *out)
{
	double values[SAMPLES_MAX];
	size_t n = doubles(array, values);

	for (size_t i = 0; i < n; i++)
		out[i] = (int64_t)values[i];
	return n;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* summary */

Test(summary, no_samples_no_values)
{
	struct stats_summary s;

	cr_assert_eq(stats_summarize(NULL, 0, &s), 0);
	cr_expect_eq(s.n, 0);
	cr_expect(isnan(s.min) && isnan(s.max) && isnan(s.mean) && isnan(s.sd) &&
		  isnan(s.mad) && isnan(s.p1) && isnan(s.p5) && isnan(s.p25) &&
		  isnan(s.p50) && isnan(s.p75) && isnan(s.p90) && isnan(s.p95) &&
		  isnan(s.p99) && isnan(s.p99_9));
}

Test(summary, one_sample_has_no_deviation)
{
	int64_t sample = -7;
	struct stats_summary s;

	cr_assert_eq(stats_summarize(&sample, 1, &s), 0);
	cr_expect_eq(s.n, 1);
	cr_expect(s.min == -7 && s.max == -7 && s.mean == -7 && s.mad == 0);
	cr_expect(s.p25 == -7 && s.p50 == -7 && s.p75 == -7);
	cr_expect(isnan(s.sd) && isnan(s.p90));
}

/* 2 4 4 4 5 5 7 9: mean 5, squares of deviations 32, so sd = sqrt(32 / 7). */
Test(summary, eight_by_hand)
{
	int64_t samples[] = { 9, 4, 5, 2, 4, 7, 5, 4 };
	struct stats_summary s;

	cr_assert_eq(stats_summarize(samples, 8, &s), 0);
	cr_expect(s.min == 2 && s.max == 9 && s.mean == 5);
	expect_close(s.sd, sqrt(32.0 / 7));
	cr_expect_eq(s.p25, 4);
	cr_expect_eq(s.p50, 4.5);
	cr_expect_eq(s.p75, 5.5);
	/* |x - 4.5|: 0.5 x 5, 2.5 x 2, 4.5 */
	expect_close(s.mad, 0.5 * 1.4826);
	cr_expect_eq(samples[0], 9, "the samples stay as they were");
}

/* Figures of exact targets have no rounding errors. */
Test(summary, equal_samples_stay_exact)
{
	static int64_t samples[SAMPLES_MAX];
	struct stats_summary s;

	for (int64_t value = 1495; value < 1600; value++) {
		for (size_t i = 0; i < SAMPLES_MAX; i++)
			samples[i] = value;
		cr_assert_eq(stats_summarize(samples, SAMPLES_MAX, &s), 0);
		cr_expect(s.min == value && s.p1 == value && s.p5 == value &&
				  s.p25 == value && s.p50 == value && s.p75 == value &&
				  s.p90 == value && s.p95 == value && s.p99 == value &&
				  s.max == value && s.mean == value,
			  "%lld", (long long)value);
		cr_expect(s.sd == 0 && s.mad == 0);
	}
}

/* The least n at which ten samples lie beyond each tail percentile. */
Test(summary, tails_need_ten_samples_beyond_them)
{
	static int64_t samples[10000];
	static const struct {
		size_t n;
		size_t offset;
	} tails[] = {
		{ 1000, offsetof(struct stats_summary, p1) },
		{ 200, offsetof(struct stats_summary, p5) },
		{ 100, offsetof(struct stats_summary, p90) },
		{ 200, offsetof(struct stats_summary, p95) },
		{ 1000, offsetof(struct stats_summary, p99) },
		{ 10000, offsetof(struct stats_summary, p99_9) },
	};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct stats_summary enough, few;

		cr_assert_eq(stats_summarize(samples, tails[i].n, &enough), 0);
		cr_assert_eq(stats_summarize(samples, tails[i].n - 1, &few), 0);
		cr_expect(!isnan(*(double *)((char *)&enough + tails[i].offset)), "n %zu",
			  tails[i].n);
		cr_expect(isnan(*(double *)((char *)&few + tails[i].offset)), "n %zu",
			  tails[i].n - 1);
		cr_expect_not(isnan(few.p25) || isnan(few.p50) || isnan(few.p75));
	}
}

Test(summary, quantile_type_7)
{
	static const double sorted[] = { 10, 14, 16, 20, 24, 30 };

	cr_expect_eq(stats_quantile_sorted(sorted, 6, 0), 10);
	cr_expect_eq(stats_quantile_sorted(sorted, 6, 1), 30);
	cr_expect_eq(stats_quantile_sorted(sorted, 6, 0.5), 18);
	cr_expect_eq(stats_quantile_sorted(sorted, 6, 0.2), 14);
	cr_expect_eq(stats_quantile_sorted(sorted, 6, 0.25), 14.5);
	cr_expect_eq(stats_quantile_sorted(sorted, 1, 0.9), 10);
}

Test(summary, median_of_odd_and_even)
{
	double odd[] = { 9, -1, 4 }, even[] = { 9, -1, 4, 5 };

	cr_expect_eq(stats_median(odd, 3), 4);
	cr_expect_eq(stats_median(even, 4), 4.5);
	cr_expect(even[0] == -1 && even[3] == 9, "sorted in place");
}

Test(summary, agrees_with_R)
{
	json_t *root = reference("stats/r_reference.json"), *ref;
	double sorted[SAMPLES_MAX];
	struct stats_summary s;
	int64_t samples[SAMPLES_MAX];
	size_t n, checked = 0;

	for (int i = 0; i < 2; i++) {
		ref = json_object_get(root, i ? "quantile_cycles" : "quantile");
		n = doubles(json_object_get(ref, "x"), sorted);
		qsort(sorted, n, sizeof(*sorted), ascending);
		for (size_t j = 0; j < json_array_size(json_object_get(ref, "probs"));
		     j++) {
			json_t *q = json_array_get(json_object_get(ref, "probs"), j);
			json_t *want = json_array_get(json_object_get(ref, "type7"), j);

			expect_close(
				stats_quantile_sorted(sorted, n, json_number_value(q)),
				json_number_value(want));
			checked++;
		}
		n = integers(json_object_get(ref, "x"), samples);
		cr_assert_eq(stats_summarize(samples, n, &s), 0);
		expect_close(s.mad, json_number_value(json_object_get(ref, "mad")));
	}
	expect_close(s.sd, json_number_value(json_object_get(ref, "sd")));
	expect_close(s.mean, json_number_value(json_object_get(ref, "mean")));
	cr_expect_eq(checked, 12);
	json_decref(root);
}

/* NIST's NumAcc1: the mean is a million times the deviation. */
Test(summary, agrees_with_NIST)
{
	json_t *root = reference("stats/vectors.json");
	json_t *ref = json_array_get(
		json_object_get(json_object_get(root, "nist_strd"), "cases"), 0);
	int64_t samples[SAMPLES_MAX];
	size_t n = integers(json_object_get(ref, "x"), samples);
	struct stats_summary s;

	cr_assert_eq(stats_summarize(samples, n, &s), 0);
	cr_expect_eq(s.mean, json_number_value(json_object_get(ref, "mean")));
	cr_expect_eq(s.sd, json_number_value(json_object_get(ref, "sd")));
	json_decref(root);
}

/* interval */

/*
 * n, k, coverage: rank k and rank n + 1 - k enclose the median with 1 - 2 P(X < k),
 * X binomial (n, 1/2). By hand: n = 6: 1 - 2/64; n = 9: 1 - 2 (1 + 9) / 512;
 * n = 10: 1 - 2 (1 + 10) / 1024; n = 12: 1 - 2 (1 + 12 + 66) / 4096.
 */
Test(interval, by_hand)
{
	static const struct {
		size_t n, k;
		double coverage;
	} rows[] = {
		{ 6, 1, 62.0 / 64 },
		{ 9, 2, 492.0 / 512 },
		{ 10, 2, 1002.0 / 1024 },
		{ 12, 3, 3938.0 / 4096 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stats_interval out;
		double values[16];

		for (size_t j = 0; j < rows[i].n; j++)
			values[j] = (double)(rows[i].n - j) * 10; /* descending */
		cr_assert_eq(stats_median_interval(values, rows[i].n, 0.95, &out), 0);
		cr_expect_eq(out.level, 0.95);
		cr_expect_eq(out.lo, (double)rows[i].k * 10);
		cr_expect_eq(out.hi, (double)(rows[i].n + 1 - rows[i].k) * 10);
		expect_close(out.actual, rows[i].coverage);
	}
}

Test(interval, too_few_values)
{
	double values[] = { 5, 4, 3, 2, 1 };
	struct stats_interval out;

	cr_expect_eq(stats_median_interval(values, 0, 0.95, &out), -ERANGE);
	for (size_t n = 1; n <= 5; n++)
		cr_expect_eq(stats_median_interval(values, n, 0.95, &out), -ERANGE);
	cr_expect_eq(stats_median_interval(values, 5, 0.9, &out), 0);
	cr_expect_eq(stats_median_interval(values, 5, 1, &out), -ERANGE);
	cr_expect_eq(stats_median_interval(values, 5, NAN, &out), -ERANGE);
}

/* A level equal to the coverage is reached. */
Test(interval, level_is_inclusive)
{
	double values[] = { 1, 2, 3, 4, 5, 6 };
	struct stats_interval out;

	cr_expect_eq(stats_median_interval(values, 6, 62.0 / 64, &out), 0);
	cr_expect_eq(stats_median_interval(values, 6, 0.97, &out), -ERANGE);
}

/* Symmetric and wide enough for all n; more coverage needs a wider pair. */
Test(interval, widens_with_the_level)
{
	double values[300];
	struct stats_interval out, wider;

	for (size_t n = 6; n <= 300; n++) {
		for (size_t i = 0; i < n; i++)
			values[i] = (double)i + 1;
		cr_assert_eq(stats_median_interval(values, n, 0.95, &out), 0);
		cr_expect_geq(out.actual, 0.95);
		cr_expect_eq(out.lo + out.hi, (double)n + 1, "symmetric");
		/* A slightly larger level needs a wider pair, or fails. */
		if (!stats_median_interval(values, n, out.actual + 1e-9, &wider))
			cr_expect_lt(wider.lo, out.lo);
	}
}

Test(interval, agrees_with_R)
{
	json_t *root = reference("stats/r_reference.json"), *row;
	json_t *rows = json_object_get(root, "median_ci_index");
	struct stats_interval out;
	double values[SAMPLES_MAX];
	size_t i;

	cr_assert_gt(json_array_size(rows), 0);
	json_array_foreach(rows, i, row)
	{
		size_t n = (size_t)json_integer_value(json_object_get(row, "n"));

		for (size_t j = 0; j < n; j++)
			values[j] = (double)j + 1;
		cr_assert_eq(stats_median_interval(values, n, 0.95, &out), 0);
		cr_expect_eq(out.lo, json_number_value(json_object_get(row, "lo")));
		cr_expect_eq(out.hi, json_number_value(json_object_get(row, "hi")));
		expect_close(out.actual,
			     json_number_value(json_object_get(row, "coverage")));
	}
	json_decref(root);
}

Test(interval, agrees_with_go_perf)
{
	json_t *root = reference("stats/vectors.json"), *row;
	json_t *rows =
		json_object_get(json_object_get(root, "mannwhitney_go"), "median_ci");
	struct stats_interval out;
	double values[SAMPLES_MAX];
	size_t i;

	cr_assert_gt(json_array_size(rows), 0);
	json_array_foreach(rows, i, row)
	{
		size_t n = doubles(json_object_get(row, "x"), values);
		double level = json_number_value(json_object_get(row, "level"));
		int rc = stats_median_interval(values, n, level, &out);

		if (json_object_get(row, "need_n")) {
			cr_expect_eq(rc, -ERANGE);
			continue;
		}
		cr_assert_eq(rc, 0);
		cr_expect_eq(out.lo, json_number_value(json_object_get(row, "lo")));
		cr_expect_eq(out.hi, json_number_value(json_object_get(row, "hi")));
		cr_expect_eq(out.actual,
			     json_number_value(json_object_get(row, "actual")));
	}
	json_decref(root);
}
