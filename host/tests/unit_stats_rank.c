/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of rank tests, and of Holm's correction. */
#include <errno.h>

#include "host/stats/two_sample.h"
#include "host/tests/stats_fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Mann-Whitney */

/* Of the 6 ways to split 1 2 3 4 into two pairs, one has 1 and 2 in the first. */
Test(mann_whitney, two_against_two)
{
	static const double x[] = { 1, 2 }, y[] = { 3, 4 };
	struct stats_mann_whitney t;

	cr_assert_eq(stats_mann_whitney(x, 2, y, 2, &t), 0);
	cr_expect(t.exact && t.u == 0);
	expect_close(t.p_less, 1.0 / 6);
	expect_close(t.p_greater, 1);
	expect_close(t.p, 1.0 / 3);
	cr_assert_eq(stats_mann_whitney(y, 2, x, 2, &t), 0);
	cr_expect_eq(t.u, 4);
	expect_close(t.p_greater, 1.0 / 6);
	expect_close(t.p, 1.0 / 3);
}

/* Ties: 1 1 | 1 2 has mean ranks 2 2 2 4. Of 6 ways, 3 have the sum 4, 3 the sum 6. */
Test(mann_whitney, ties_are_exact)
{
	static const double x[] = { 1, 1 }, y[] = { 1, 2 };
	struct stats_mann_whitney t;

	cr_assert_eq(stats_mann_whitney(x, 2, y, 2, &t), 0);
	cr_expect_eq(t.u, 1);
	expect_close(t.p_less, 0.5);
	expect_close(t.p_greater, 1);
	expect_close(t.p, 1);
}

Test(mann_whitney, equal_samples_have_p_1)
{
	static const double x[60], y[60];
	struct stats_mann_whitney t;

	for (size_t n = 1; n <= 60; n += 59) {
		cr_assert_eq(stats_mann_whitney(x, n, y, n, &t), 0);
		cr_expect_eq(t.exact, n == 1);
		cr_expect_eq(t.p, 1);
	}
	cr_expect_eq(stats_mann_whitney(x, 0, y, 5, &t), -ERANGE);
	cr_expect(isnan(t.p));
}

/* Complete separation: one way out of C(2n, n), twice. */
Test(mann_whitney, least_p)
{
	double x[50], y[50], ways = 1;
	struct stats_mann_whitney t;

	for (size_t n = 1; n <= 50; n++) {
		ways *= (double)(2 * n * (2 * n - 1)) / (double)(n * n);
		x[n - 1] = -(double)n;
		y[n - 1] = (double)n;
		cr_assert_eq(stats_mann_whitney(x, n, y, n, &t), 0);
		cr_expect(t.exact);
		expect_close(t.p / fmin(1, 2 / ways), 1);
	}
}

/* The normal approximation is close to the exact distribution where they meet. */
Test(mann_whitney, exact_and_normal_meet)
{
	double x[51], y[51];
	struct stats_mann_whitney exact, normal;

	for (int i = 0; i < 51; i++) {
		x[i] = (i * 37) % 101;
		y[i] = (i * 53) % 97 + 9;
	}
	cr_assert_eq(stats_mann_whitney(x, 50, y, 50, &exact), 0);
	cr_assert_eq(stats_mann_whitney(x, 51, y, 51, &normal), 0);
	cr_assert(exact.exact && !normal.exact);
	cr_expect_lt(fabs(exact.p - normal.p), 0.05);
}

static size_t generated(double *out, size_t n, double step, double start)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double)i * step + start;
	return n;
}

Test(mann_whitney, agrees_with_go_perf)
{
	json_t *root = reference("stats/vectors.json"), *row;
	json_t *rows = json_object_get(json_object_get(root, "mannwhitney_go"), "cases");
	static double x[SAMPLES_MAX], y[SAMPLES_MAX];
	struct stats_mann_whitney t;
	size_t i;

	cr_assert_eq(json_array_size(rows), 5);
	json_array_foreach(rows, i, row)
	{
		size_t n_x, n_y;

		if (json_object_get(row, "gen")) {
			n_x = generated(x, 500, 2, 0);
			n_y = generated(y, 600, 2, -41);
			for (size_t k = 0; i == 4 && k < 30; k++)
				y[k] = x[k];
		} else {
			n_x = members(row, "x", x);
			n_y = members(row, "y", y);
		}
		cr_assert_eq(stats_mann_whitney(x, n_x, y, n_y, &t), 0);
		cr_expect_eq(t.u, number(row, "U"));
		expect_close(t.p_less, number(row, "p_less"));
		expect_close(t.p_greater, number(row, "p_greater"));
		expect_close(t.p, number(row, "p_two"));
	}
	json_decref(root);
}

/* Exact cases; of the one with ties, R only has a normal approximation. */
Test(mann_whitney, agrees_with_R)
{
	json_t *root = reference("stats/r_reference.json"), *row;
	double x[SAMPLES_MAX], y[SAMPLES_MAX];
	size_t i, checked = 0;

	json_array_foreach(json_object_get(root, "mwu"), i, row)
	{
		json_t *exact = json_object_get(row, "exact"), *ci;
		struct stats_mann_whitney t;
		struct stats_shift shift;
		size_t n_x, n_y;

		if (!json_is_array(json_object_get(row, "x")))
			continue;
		n_x = members(row, "x", x);
		n_y = members(row, "y", y);
		cr_assert_eq(stats_mann_whitney(x, n_x, y, n_y, &t), 0);
		cr_assert_eq(stats_shift(y, n_y, x, n_x, 0.95, &shift), 0);
		checked++;
		if (!exact) {
			exact = json_object_get(row, "normal_cc");
			cr_expect_lt(fabs(t.p - number(exact, "p")), 1e-4);
			/* R looks for a root of the statistic there, between values. */
			cr_expect_lt(fabs(shift.shift - number(exact, "hl")), 0.5);
			ci = json_object_get(exact, "ci");
			cr_expect_eq(shift.lo,
				     round(json_number_value(json_array_get(ci, 0))));
			cr_expect_eq(shift.hi,
				     round(json_number_value(json_array_get(ci, 1))));
			continue;
		}
		cr_expect_eq(t.u, number(exact, "W"));
		expect_close(t.p, number(exact, "p"));
		cr_expect_eq(shift.shift, number(exact, "hl"));
		ci = json_object_get(exact, "ci");
		cr_expect_eq(shift.lo, json_number_value(json_array_get(ci, 0)));
		cr_expect_eq(shift.hi, json_number_value(json_array_get(ci, 1)));
	}
	cr_expect_eq(checked, 3);
	json_decref(root);
}

/* shift */

/*
 * 0 10 against 1 13: differences 1 13 -9 3, sorted -9 1 3 13, median 2. All four
 * together cover 1 - 2/6.
 */
Test(shift, two_against_two)
{
	static const double x[] = { 0, 10 }, y[] = { 1, 13 };
	struct stats_shift s;

	cr_assert_eq(stats_shift(x, 2, y, 2, 2.0 / 3 - 1e-12, &s), 0);
	cr_expect(s.shift == 2 && s.lo == -9 && s.hi == 13);
	expect_close(s.actual, 2.0 / 3);
	cr_assert_eq(stats_shift(x, 2, y, 2, 0.7, &s), 0);
	cr_expect(s.shift == 2 && isnan(s.lo) && isnan(s.hi), "too few for 0.7");
	cr_expect_eq(stats_shift(x, 0, y, 2, 0.5, &s), -ERANGE);
}

/* Four per side are the least for 95 %: 1 - 2/70. */
Test(shift, least_for_95_percent)
{
	static const double x[] = { 1, 2, 3, 4 }, y[] = { 11, 12, 13, 14 };
	struct stats_shift s;

	cr_assert_eq(stats_shift(x, 3, y, 3, 0.95, &s), 0);
	cr_expect(isnan(s.lo));
	cr_assert_eq(stats_shift(x, 4, y, 4, 0.95, &s), 0);
	cr_expect(s.shift == 10 && s.lo == 7 && s.hi == 13);
	expect_close(s.actual, 68.0 / 70);
}

/* Adding a constant to y shifts the result; swapping the samples negates it. */
Test(shift, is_equivariant)
{
	static const double x[] = { 5, 3, 8, 1, 9, 7 }, y[] = { 6, 2, 11, 4, 10, 12, 0 };
	double moved[7];
	struct stats_shift s, m, t;

	for (size_t i = 0; i < 7; i++)
		moved[i] = y[i] + 100;
	cr_assert_eq(stats_shift(x, 6, y, 7, 0.95, &s), 0);
	cr_assert_eq(stats_shift(x, 6, moved, 7, 0.95, &m), 0);
	cr_assert_eq(stats_shift(y, 7, x, 6, 0.95, &t), 0);
	cr_expect(m.shift == s.shift + 100 && m.lo == s.lo + 100 && m.hi == s.hi + 100);
	cr_expect(t.shift == -s.shift && t.lo == -s.hi && t.hi == -s.lo);
	cr_expect(s.lo < s.shift && s.shift < s.hi);
}

/* Cliff */

Test(cliff, by_hand)
{
	static const double x[] = { 1, 2, 3 }, y[] = { 2, 4 };

	/* y > x: 1 of 3 for 2 (and one tie, one below), 3 of 3 for 4 */
	expect_close(stats_cliff(x, 3, y, 2), (1 - 1 + 3) / 6.0);
	expect_close(stats_cliff(y, 2, x, 3), -0.5);
	cr_expect_eq(stats_cliff(x, 3, x, 3), 0);
	cr_expect_eq(stats_cliff(x, 1, y, 2), 1);
	cr_expect(isnan(stats_cliff(x, 0, y, 2)));
}

/* signed rank */

static struct stats_signed_rank signed_rank(const double *d, size_t n)
{
	struct stats_signed_rank t;

	cr_assert_eq(stats_signed_rank(d, n, 0.95, &t), 0);
	return t;
}

Test(signed_rank, by_hand)
{
	static const double up[] = { 1, 2, 3, 4, 5, 6 };
	static const double ties[] = { 1, -1, 2, 0 };
	static const double zeros[] = { 0, 0 };
	struct stats_signed_rank t = signed_rank(up, 6);

	/* One of 64 signs has no negative; the next sum would cover 1 - 4 / 64. */
	expect_close(t.p, 2.0 / 64);
	cr_expect(t.shift == 3.5 && t.lo == 1 && t.hi == 6);
	/* 2 / 32 of five. */
	cr_expect(isnan(signed_rank(up, 5).lo));
	/* Ranks 1.5, 1.5, 3: of 8 signs, 3 have a sum of at most 1.5. */
	expect_close(signed_rank(ties, 4).p, 6.0 / 8);
	cr_expect(isnan(signed_rank(zeros, 2).p));
	cr_expect(signed_rank(zeros, 2).shift == 0);
	cr_expect_eq(stats_signed_rank(up, 0, 0.95, &t), -ERANGE);
}

/* All signs of ten differences with ties. */
Test(signed_rank, agrees_with_enumeration)
{
	static const double d[] = { 3, -1, 4, 1, -5, 9, 2, 6, -5, 3 };
	double ranks[N(d)], up = 0, all = 0;
	size_t fewer = 0;

	for (size_t i = 0; i < N(d); i++) {
		size_t below = 0, equal = 0;

		for (size_t j = 0; j < N(d); j++) {
			below += fabs(d[j]) < fabs(d[i]);
			equal += fabs(d[j]) == fabs(d[i]);
		}
		ranks[i] = (double)below + ((double)equal + 1) / 2;
		up += d[i] > 0 ? ranks[i] : 0;
		all += ranks[i];
	}
	for (size_t signs = 0; signs < 1u << N(d); signs++) {
		double sum = 0;

		for (size_t i = 0; i < N(d); i++)
			sum += signs >> i & 1 ? ranks[i] : 0;
		fewer += sum <= fmin(up, all - up);
	}
	expect_close(signed_rank(d, N(d)).p, 2 * (double)fewer / (1u << N(d)));
}

/* R approximates, since the differences have ties. */
Test(signed_rank, agrees_with_R)
{
	json_t *root = reference("stats/r_reference.json");
	json_t *ref = json_object_get(root, "paired");
	json_t *rank = json_object_get(ref, "signed_rank"),
	       *ci = json_object_get(rank, "ci");
	double a[SAMPLES_MAX], b[SAMPLES_MAX];
	size_t n = members(ref, "a", a);
	struct stats_signed_rank t;

	cr_assert_eq(members(ref, "b", b), n);
	for (size_t i = 0; i < n; i++)
		a[i] -= b[i];
	t = signed_rank(a, n);
	cr_expect(fabs(log(t.p / number(rank, "p"))) < log(10), "%g", t.p);
	cr_expect(fabs(t.shift - number(rank, "hl")) < 1e-4, "%g", t.shift);
	cr_expect(fabs(t.lo - json_number_value(json_array_get(ci, 0))) < 0.51, "%g",
		  t.lo);
	cr_expect(fabs(t.hi - json_number_value(json_array_get(ci, 1))) < 0.51, "%g",
		  t.hi);
	json_decref(root);
}

/* Above STATS_EXACT_MAX, close to the exact figures of one difference fewer. */
Test(signed_rank, of_many)
{
	double d[STATS_EXACT_MAX + 1];
	struct stats_signed_rank exact, normal;

	for (size_t i = 0; i < N(d); i++)
		d[i] = (double)(i * 37 % N(d)) - 40;
	exact = signed_rank(d, N(d) - 1);
	normal = signed_rank(d, N(d));
	cr_expect(exact.p < 0.01 && fabs(normal.p / exact.p - 1) < 0.3, "%g %g", exact.p,
		  normal.p);
	cr_expect(fabs(normal.lo - exact.lo) < 1 && fabs(normal.hi - exact.hi) < 1);
}

/* Holm */

/* 0.01 x 4; 0.02 x 3; 0.03 x 2; 0.04 x 1, but not below the 0.06 before it. */
Test(holm, by_hand)
{
	const double p[] = { 0.04, 0.01, NAN, 0.03, 0.02 };
	double adjusted[5];

	cr_assert_eq(stats_holm(p, 5, adjusted), 0);
	expect_close(adjusted[1], 0.04);
	expect_close(adjusted[4], 0.06);
	expect_close(adjusted[3], 0.06);
	expect_close(adjusted[0], 0.06);
	cr_expect(isnan(adjusted[2]));
}

Test(holm, never_above_one_and_in_place)
{
	double p[] = { 0.9, 0.6, 0.7 };

	cr_assert_eq(stats_holm(p, 3, p), 0);
	cr_expect(p[0] == 1 && p[1] == 1 && p[2] == 1);
	cr_assert_eq(stats_holm(p, 0, p), 0);
}

/* A single p is unchanged. */
Test(holm, a_family_of_one)
{
	const double p[] = { NAN, 0.3 };
	double adjusted[2];

	cr_assert_eq(stats_holm(p, 2, adjusted), 0);
	cr_expect_eq(adjusted[1], 0.3);
}
