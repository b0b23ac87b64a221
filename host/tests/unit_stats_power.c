/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of prediction intervals and sample sizes. */
#include "host/stats/two_sample.h"
#include "host/tests/stats_fixture.h"

/* prediction intervals: the t-test with one new value */

/* t(0.975, 1) = tan(0.475 pi); 2 values: sqrt(1 + 1/2). */
Test(prediction, by_hand)
{
	double reach = tan(0.475 * M_PI) * 2 * sqrt(1.5);
	const struct student_sample before = { 2, 10, 4 };
	const struct student_sample below = { 1, 10 - reach, 0 };
	const struct student_sample above = { 1, 10 + reach, 0 };

	expect_close(student_p(&before, &below, 0), 0.05);
	expect_close(student_p(&before, &above, 0), 0.05);
}

/* Bencher's boundary is one-sided, and rounded to two digits. */
Test(prediction, agrees_with_bencher)
{
	json_t *root = reference("stats/vectors.json");
	json_t *ref = json_array_get(
		json_object_get(json_object_get(root, "bencher_boundary"), "cases"), 0);
	double sd = number(ref, "sd"), p = 2 * (1 - number(ref, "boundary"));
	double lower = number(ref, "lower"), upper = number(ref, "upper");
	const struct student_sample before = { (size_t)number(ref, "n"),
					       number(ref, "mean"), sd * sd };
	const struct student_sample at[4] = {
		{ 1, lower - 0.005, 0 },
		{ 1, lower + 0.005, 0 },
		{ 1, upper - 0.005, 0 },
		{ 1, upper + 0.005, 0 },
	};

	cr_expect_lt(student_p(&before, &at[0], 0), p);
	cr_expect_gt(student_p(&before, &at[1], 0), p);
	cr_expect_gt(student_p(&before, &at[2], 0), p);
	cr_expect_lt(student_p(&before, &at[3], 0), p);
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
	/* On the edge of the band: never decided. */
	p.shift = 10;
	cr_expect(isnan(stats_boots_needed(&p)));
	/* Beyond the edge, but not significant. */
	p.shift = 100;
	p.lo = 96;
	p.hi = 104;
	p.boots = 6;
	p.paired = true;
	cr_expect_eq(stats_boots_needed(&p), 8);
	p.lo = NAN;
	cr_expect_eq(stats_boots_needed(&p), 8);
}
