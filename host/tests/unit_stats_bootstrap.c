/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bootstrap intervals. */
#include <errno.h>

#include <gsl/gsl_statistics_double.h>

#include "host/stats/two_sample.h"
#include "host/stats/summary.h"
#include "host/tests/stats_fixture.h"

static double mean(double *values, size_t n)
{
	return gsl_stats_mean(values, 1, n);
}

/* The biased variance: Efron's example for BCa. */
static double variance(double *values, size_t n)
{
	return gsl_stats_variance(values, 1, n) * (double)(n - 1) / (double)n;
}

static struct stats_bootstrap bca(const double *values, size_t n, stats_statistic *of,
				  double level, size_t resamples, uint64_t seed)
{
	struct stats_bootstrap b;

	cr_assert_eq(stats_bootstrap(values, n, of, level, resamples, seed, &b), 0);
	return b;
}

/*
 * 0 to 9: symmetric, so there is no bias and no acceleration, and the interval of
 * the mean is the normal one: sqrt(8.25 / 10) x 1.96 to each side.
 */
Test(bootstrap, mean_of_a_symmetric_sample)
{
	static const double x[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct stats_bootstrap b = bca(x, 10, mean, 0.95, 20000, 1);

	cr_expect_eq(b.estimate, 4.5);
	cr_expect(fabs(b.bias) < 0.03 && fabs(b.acceleration) < 1e-12);
	expect_near(b.lo, 4.5 - 1.96 * sqrt(0.825), 0.03);
	expect_near(b.hi, 4.5 + 1.96 * sqrt(0.825), 0.03);
}

/* By hand: leaving one of 0 0 3 out has the means 1.5 1.5 0. */
Test(bootstrap, acceleration_by_hand)
{
	static const double x[] = { 0, 0, 3 };
	struct stats_bootstrap b = bca(x, 3, mean, 0.9, 1000, 1);
	/* deviations -0.5 -0.5 1: cubes 0.75, squares 1.5 */
	expect_close(b.acceleration, 0.75 / (6 * pow(1.5, 1.5)));
}

Test(bootstrap, depends_on_the_seed)
{
	static const double x[] = { 3, 1, 4, 1, 5, 9, 2, 6 };
	struct stats_bootstrap a = bca(x, 8, mean, 0.95, 500, 7);
	struct stats_bootstrap same = bca(x, 8, mean, 0.95, 500, 7);
	struct stats_bootstrap other = bca(x, 8, mean, 0.95, 500, 8);

	cr_expect(a.lo == same.lo && a.hi == same.hi && a.bias == same.bias);
	cr_expect(a.lo != other.lo || a.hi != other.hi || a.bias != other.bias);
}

Test(bootstrap, too_little_to_draw_from)
{
	static const double x[] = { 1, 2 }, same[] = { 5, 5, 5 };
	struct stats_bootstrap b;

	cr_expect_eq(stats_bootstrap(x, 1, mean, 0.95, 1000, 1, &b), -ERANGE);
	cr_expect_eq(stats_bootstrap(x, 2, mean, 0.95, 99, 1, &b), -ERANGE);
	b = bca(same, 3, mean, 0.95, 100, 1);
	cr_expect(b.lo == 5 && b.hi == 5 && b.acceleration == 0);
}

/* 200,000 resamples of R's against 50,000 of wsbench: the third digit is noise. */
Test(bootstrap, agrees_with_R)
{
	json_t *root = reference("stats/r_reference.json");
	json_t *ref = json_object_get(root, "bca_mean");
	json_t *spatial = json_object_get(root, "bca_spatialA");
	double x[SAMPLES_MAX], want[2] = { 0 };
	size_t n = members(ref, "x", x);
	struct stats_bootstrap b = bca(x, n, mean, 0.95, 50000, 1);

	expect_close(b.estimate, number(ref, "t0"));
	expect_close(b.acceleration, number(ref, "accel_jack"));
	members(ref, "bca", want);
	cr_expect_lt(fabs(b.lo - want[0]), 0.15);
	cr_expect_lt(fabs(b.hi - want[1]), 0.15);

	n = members(spatial, "x", x);
	b = bca(x, n, variance, 0.9, 50000, 1);
	expect_close(b.estimate, number(spatial, "theta"));
	cr_expect_lt(fabs(b.acceleration - number(spatial, "book_accel")), 5e-4);
	members(spatial, "book_bca90", want);
	cr_expect_lt(fabs(b.lo / want[0] - 1), 0.02);
	cr_expect_lt(fabs(b.hi / want[1] - 1), 0.02);
	json_decref(root);
}

/* boots */

/* Boots of equal events: resampling events has no effect. */
Test(boots, constant_boots_are_their_medians)
{
	double same[3][101];
	struct stats_events boots[3];
	struct stats_bootstrap b;

	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 101; k++)
			same[i][k] = 100 + i;
		boots[i] = stats_events_middle(same[i], 101);
		cr_assert(boots[i].kept);
	}
	cr_assert_eq(stats_bootstrap_boots(boots, 3, 0.95, 1000, 1, &b), 0);
	cr_expect_eq(b.estimate, 101);
	cr_expect(b.lo == 100 && b.hi == 102);
	cr_expect_eq(stats_bootstrap_boots(boots, 1, 0.95, 1000, 1, &b), -ERANGE);
	for (int i = 0; i < 3; i++)
		free(boots[i].middle);
}

/*
 * Two equal boots: the interval is that of the median of n = 10,001 even steps
 * from 0 to 10,000: rank sd sqrt(n) / 2 = 50, of the median of two drawn ones 50 /
 * sqrt(2).
 */
Test(boots, events_contribute_to_the_interval)
{
	double *steps = malloc(10001 * sizeof(*steps));
	struct stats_events boots[2];
	struct stats_bootstrap b;

	for (int k = 0; k < 10001; k++)
		steps[k] = k;
	boots[0] = boots[1] = stats_events_middle(steps, 10001);
	cr_expect_lt(boots[0].kept, 1000, "the tails are not kept");
	cr_assert_eq(stats_bootstrap_boots(boots, 2, 0.95, 5000, 3, &b), 0);
	cr_expect_eq(b.estimate, 5000);
	cr_expect_lt(fabs((b.hi - b.lo) / 2 / (1.96 * 50 / sqrt(2)) - 1), 0.06);
	free(boots[0].middle);
	free(steps);
}

/* An even number of events has a median between two of them. */
Test(boots, few_and_even)
{
	static const double sorted[] = { 1, 2, 3, 10 };
	struct stats_events e = stats_events_middle(sorted, 4), boots[2] = { e, e };
	struct stats_bootstrap b;

	cr_expect(e.kept == 4 && e.first == 0 && e.median == 2.5);
	cr_assert_eq(stats_bootstrap_boots(boots, 2, 0.95, 1000, 1, &b), 0);
	cr_expect(b.lo >= 1 && b.hi <= 10 && b.lo < 2.5 && b.hi > 2.5);
	free(e.middle);
}
