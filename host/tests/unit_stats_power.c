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

/* what a test finds */

/* Phi((5 - max(3 * 1, 1 + 2 * 1)) / 1) = Phi(2), and Phi((2.5 - 3) / 2). */
Test(found, by_hand)
{
	struct power_test t = {
		.se = 1,
		.limit = 1,
		.df = INFINITY,
		.known = INFINITY,
		.significant = 3,
		.outside = 2,
		.edge = 1,
	};

	cr_expect_float_eq(power_found(&t, 5), 0.97725, 1e-5);
	t.se = 2;
	cr_expect_float_eq(power_found(&t, 2.5), 0.40129, 1e-5);
	/* A wide interval: 1 + 2 * 4 is beyond 3 * 4 / 2. */
	t.limit = 4;
	t.significant = 1.5;
	cr_expect_float_eq(power_found(&t, 9), 0.5, 1e-9);
}

/* The upper tail of the noncentral t distribution, by numerical integration. */
Test(found, agrees_with_the_noncentral_t)
{
	struct power_test t = {
		.se = 1, .limit = 1, .df = 18, .known = INFINITY, .significant = 2.87844
	};

	cr_expect_float_eq(power_found(&t, 4.16), 0.88334, 0.002);
	cr_expect_float_eq(power_found(&t, 4.5), 0.93280, 0.002);
	t.df = 4;
	t.significant = 4.60409;
	cr_expect_float_eq(power_found(&t, 8), 0.96946, 0.006);
}

/* Noise of four degrees of freedom can be larger than it seems: Phi(2.5) is 0.994. */
Test(found, noise_that_is_hardly_known)
{
	struct power_test t = {
		.se = 1, .limit = 1, .df = INFINITY, .known = 4, .significant = 2.5
	};

	cr_expect_float_eq(power_found(&t, 5), 0.8692, 0.006);
}

Test(found, least_is_the_inverse)
{
	struct power_test t = {
		.se = 0.01,
		.limit = 0.012,
		.df = 8,
		.known = 20,
		.significant = 3.4,
		.outside = 2.3,
		.edge = 0.01,
	};

	cr_expect_float_eq(power_found(&t, power_least(&t, 0.9)), 0.9, 1e-6);
	cr_expect_float_eq(power_found(&t, power_least(&t, 0.5)), 0.5, 1e-6);
	t.significant = INFINITY;
	cr_expect(isinf(power_least(&t, 0.9)));
	cr_expect_eq(power_found(&t, 1), 0);
}

static const struct power_runs plan = {
	.own = 0.005 * 0.005,
	.own_df = 100,
	.common = 1e-6,
	.common_df = 9,
	.prior = 40,
	.alpha = 0.01 / 50,
	.level = 0.95,
	.band = 0.01,
};

/* The least number: one less does not find the change. */
Test(plan, needs_the_least_number)
{
	double runs = power_count(power_of_runs, &plan, 2, 0.02, 0.9);
	struct power_test t;

	cr_assert(runs > 2);
	t = power_of_runs(&plan, (size_t)runs);
	cr_expect_geq(power_found(&t, 0.02), 0.9);
	t = power_of_runs(&plan, (size_t)runs - 1);
	cr_expect_lt(power_found(&t, 0.02), 0.9);
	cr_expect(isnan(power_count(power_of_runs, &plan, 2, 0.01, 0.9)),
		  "within the band");
	t = power_of_runs(&plan, 1);
	cr_expect(isinf(power_least(&t, 0.9)));
}

/* Other rows make the noise known; what all rows have in common, only the runs do. */
Test(plan, rows_say_much_and_runs_little)
{
	struct power_runs other = plan;
	struct power_test t = power_of_runs(&plan, 3);
	double least = power_least(&t, 0.9);

	other.prior = 0;
	t = power_of_runs(&other, 3);
	cr_expect_gt(power_least(&t, 0.9), 1.2 * least);
	other = plan;
	other.common = plan.own;
	other.own = plan.common;
	t = power_of_runs(&other, 3);
	cr_expect_gt(power_least(&t, 0.9), 1.2 * least);
}

Test(plan, steps_of_a_history)
{
	struct power_gate gate = {
		.sd = 0.005, .known = 39, .before = 40, .alpha = 1e-4, .least = 0.01
	};
	double runs = power_count(power_of_gate, &gate, 2, 0.02, 0.9);
	struct power_test t = power_of_gate(&gate, (size_t)runs);

	cr_expect_geq(power_found(&t, 0.02), 0.9);
	cr_expect(isnan(power_count(power_of_gate, &gate, 2, 0.009, 0.9)));
	t = power_of_gate(&gate, 1);
	cr_expect(isinf(power_least(&t, 0.9)));
	/* More runs cannot bring it below the least change that is reported. */
	t = power_of_gate(&gate, 1000);
	cr_expect_gt(power_least(&t, 0.9), 0.01);
	/* A few runs are judged one by one. */
	gate.before = 6;
	t = power_of_gate(&gate, 5);
	cr_expect_gt(power_least(&t, 0.9), 2 * 0.02);
}
