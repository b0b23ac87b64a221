/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of autocorrelation, halves, modes, and the step of the clock. */
#include <stdlib.h>

#include "host/stats/two_sample.h"
#include "host/stats/summary.h"
#include "host/tests/stats_fixture.h"

/* A reproducible pseudo-random number. */
static double coin(unsigned int *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (double)(*state >> 8) / (double)(1u << 24);
}

/* The sum of twelve such numbers minus 6: approximately normal. */
static double normal(unsigned int *state)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += coin(state);
	return sum;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* autocorrelation */

/* 1 2 3 4 5: deviations -2 -1 0 1 2, squares 10, products 2 + 0 + 0 + 2. */
Test(autocorrelation, by_hand)
{
	static const double line[] = { 1, 2, 3, 4, 5 }, turns[] = { 1, -1, 1, -1 };
	static const double same[] = { 7, 7, 7 };

	expect_close(stats_autocorrelation(line, 5), 0.4);
	expect_close(stats_autocorrelation(turns, 4), -0.75);
	cr_expect(isnan(stats_autocorrelation(same, 3)));
	cr_expect(isnan(stats_autocorrelation(line, 2)));
}

Test(autocorrelation, of_noise_is_none)
{
	double values[2000];
	unsigned int state = 1;

	for (int i = 0; i < 2000; i++)
		values[i] = normal(&state);
	cr_expect_lt(fabs(stats_autocorrelation(values, 2000)), 0.07);
}

/* halves */

Test(halves, that_differ)
{
	static const double steps[] = { 5, 5, 6, 6, 99, 8, 8, 9, 9 };
	struct stats_halves h;

	cr_assert_eq(stats_halves(steps, 9, &h), 0);
	cr_expect(h.first == 5.5 && h.second == 8.5, "the one in the middle is left out");
	expect_close(h.p, 2.0 / 70);
	cr_assert_eq(stats_halves(steps, 3, &h), 0);
	cr_expect(isnan(h.first) && isnan(h.p));
}

Test(halves, a_warm_up_shows)
{
	double values[1000];
	unsigned int state = 1;
	struct stats_halves h;

	for (int i = 0; i < 1000; i++)
		values[i] = 1000 + normal(&state);
	cr_assert_eq(stats_halves(values, 1000, &h), 0);
	cr_expect_gt(h.p, 0.01);
	for (int i = 0; i < 1000; i++)
		values[i] += 100.0 / (1 + i / 50.0);
	cr_assert_eq(stats_halves(values, 1000, &h), 0);
	cr_expect(h.p < 1e-6 && h.first > h.second);
}

/* modes */

static struct stats_modes modes_of(double *values, size_t n, double apart)
{
	struct stats_modes m;

	qsort(values, n, sizeof(*values), ascending);
	cr_assert_eq(stats_modes(values, n, apart, &m), 0);
	return m;
}

Test(modes, one_hill_is_one_mode)
{
	static double values[10000];

	for (unsigned int seed = 1; seed <= 20; seed++) {
		unsigned int state = seed;
		struct stats_modes m;

		for (int i = 0; i < 10000; i++)
			values[i] = 1000 + 30 * normal(&state);
		m = modes_of(values, 10000, 10);
		cr_expect_eq(m.n, 1, "seed %u: %zu modes", seed, m.n);
		cr_expect_lt(fabs(m.mode[0].value - 1000), 2);
		for (int i = 0; i < 500; i++)
			values[i] = 1000 + 30 * normal(&state);
		m = modes_of(values, 500, 10);
		cr_expect_eq(m.n, 1, "seed %u, few: %zu modes", seed, m.n);
	}
}

Test(modes, two_hills)
{
	static double values[10000];
	unsigned int state = 1;
	struct stats_modes m;

	for (int i = 0; i < 10000; i++)
		values[i] = (i % 10 < 3 ? 1400 : 1000) + 20 * normal(&state);
	m = modes_of(values, 10000, 10);
	cr_assert_eq(m.n, 2);
	cr_expect_lt(fabs(m.mode[0].value - 1000), 5);
	cr_expect_lt(fabs(m.mode[1].value - 1400), 5);
	cr_expect(fabs(m.mode[0].share - 0.675) < 0.03 &&
		  fabs(m.mode[1].share - 0.275) < 0.03);
}

/* Exact events: two values only. */
Test(modes, two_values)
{
	double values[100];
	struct stats_modes m;

	for (int i = 0; i < 100; i++)
		values[i] = i % 2 ? 1495 : 1600;
	m = modes_of(values, 100, 15);
	cr_assert_eq(m.n, 2);
	cr_expect(m.mode[0].value == 1495 && m.mode[1].value == 1600);
	/* Closer than `apart`: one mode. */
	for (int i = 0; i < 100; i++)
		values[i] = i % 2 ? 1495 : 1497;
	m = modes_of(values, 100, 15);
	cr_expect_eq(m.n, 1);
}

/* A few outliers are a tail, not a mode. */
Test(modes, tails_are_none)
{
	double values[1000];
	unsigned int state = 1;
	struct stats_modes m;

	for (int i = 0; i < 1000; i++)
		values[i] = i < 30 ? 50000 + i : 1000 + 10 * normal(&state);
	m = modes_of(values, 1000, 10);
	cr_expect_eq(m.n, 1);
}

Test(modes, of_little)
{
	double same[] = { 3, 3, 3 }, one[] = { 8 };
	struct stats_modes m = modes_of(same, 3, 0);

	cr_expect(m.n == 1 && m.mode[0].value == 3 && m.mode[0].share == 1);
	m = modes_of(one, 1, 0);
	cr_expect(m.n == 1 && m.mode[0].value == 8);
	cr_assert_eq(stats_modes(NULL, 0, 1, &m), 0);
	cr_expect_eq(m.n, 0);
}

/* the clock's step */

Test(step, divides_all)
{
	static const int64_t counts[] = { 80, 0, -200, 40, 120 }, odd[] = { 80, 81 };

	cr_expect_eq(stats_step(counts, 5, 0), 40);
	cr_expect_eq(stats_step(counts, 5, 60), 20);
	cr_expect_eq(stats_step(odd, 2, 0), 1);
	cr_expect_eq(stats_step(counts + 1, 1, 0), 0);
	cr_expect_eq(stats_step(NULL, 0, 7), 7);
}
