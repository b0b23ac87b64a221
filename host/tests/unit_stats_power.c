/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of prediction intervals and sample sizes. */
#include "host/stats/power.h"
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

/* sd = sqrt(2 pi / 3 / 10) %, t(18) = 2.87844 and 2.10092, z(0.9) = 1.28155. */
Test(plan, by_hand)
{
	struct power_plan plan = {
		.boot = 0.01,
		.runs = 1,
		.boots = 10,
		.alpha = 0.01,
		.level = 0.95,
		.power = 0.9,
	};

	cr_expect_float_eq(power_seen(&plan), 0.0045766 * (2.87844 + 1.28155), 1e-6);
	plan.band = 0.01;
	cr_expect_float_eq(power_seen(&plan), 0.01 + 0.0045766 * (2.10092 + 1.28155),
			   1e-6);
	/* What differs from run to run does not shrink with the boots. */
	plan.runs = 5;
	plan.run = 0.01;
	plan.boots = 1000;
	cr_expect_gt(power_seen(&plan), 0.01 + sqrt(2.0 / 5) * 0.01 * (2.306 + 1.2815));
	plan.boots = 1;
	plan.runs = 1;
	cr_expect(isinf(power_seen(&plan)));
}

/* The least number: one less does not find the change. */
Test(plan, needs_the_least_number)
{
	struct power_plan plan = {
		.boot = 0.01,
		.run = 0.005,
		.runs = 1,
		.boots = 10,
		.alpha = 0.01 / 50,
		.level = 0.95,
		.band = 0.01,
		.power = 0.9,
	};
	double runs = power_runs(&plan, 0.02), boots = power_boots(&plan, 0.02);
	struct power_plan other = plan;

	cr_assert(runs > 2 && boots > 2);
	other.runs = (size_t)runs;
	cr_expect_leq(power_seen(&other), 0.02);
	other.runs--;
	cr_expect_gt(power_seen(&other), 0.02);
	other = plan;
	other.run = 0;
	other.boots = (size_t)boots;
	cr_expect_leq(power_seen(&other), 0.02);
	other.boots--;
	cr_expect_gt(power_seen(&other), 0.02);
	cr_expect(isnan(power_runs(&plan, 0.01)), "within the band");
}

Test(plan, steps_of_a_history)
{
	const struct power_gate gate = {
		.sd = 0.005, .before = 40, .alpha = 1e-4, .least = 0.01, .power = 0.9
	};
	double runs = power_step_runs(&gate, 0.02);

	cr_expect_leq(power_step(&gate, (size_t)runs), 0.02);
	cr_expect(runs == 2 || power_step(&gate, (size_t)runs - 1) > 0.02);
	cr_expect(isnan(power_step_runs(&gate, 0.009)));
	cr_expect(isinf(power_step(&gate, 1)));
	/* More runs cannot bring it below the least change that is reported. */
	cr_expect_gt(power_step(&gate, 1000), 0.01);
}
