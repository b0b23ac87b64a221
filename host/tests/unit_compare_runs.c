/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of comparisons of several runs a side, and of the variances behind them. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/compare/compare.h"
#include "host/lib/error.h"
#include "host/stats/summary.h"
#include "host/tests/compare_fixture.h"

static const struct compare_options plain;

#define ROWS  12
#define BOOTS 10
#define RUNS  5

/* A pseudo-random number from -1 to 1. */
static double noise(unsigned int which, unsigned int i)
{
	unsigned int x = (which * 1103515245u + i * 2654435761u + 12345u) * 2246822519u;

	x ^= x >> 15;
	x *= 2654435761u;
	return (double)(x >> 8) / (double)(1u << 23) - 1;
}

/*
 * One run: each row has an effect of the run of up to `effect`; the first row is `slower`
 * by a share. `hour`: when the run began.
 */
static struct result *run(unsigned int seed, double effect, double slower, int hour)
{
	struct result *r = fixture_document("kvm", false);

	r->run.id = result_format(r, "run-%u", seed);
	r->run.started = result_format(r, "2026-11-27T%02d:00:00Z", hour);
	for (unsigned int row = 0; row < ROWS; row++) {
		double boots[BOOTS], level = 10000 * (1 + effect * noise(seed, row)) *
					     (row ? 1 : 1 + slower);
		char name[16];

		snprintf(name, sizeof(name), "row%u", row);
		for (unsigned int i = 0; i < BOOTS; i++)
			boots[i] = level * (1 + 0.001 * noise(1000 * seed + row, i));
		fixture_boots(r, fixture_row(r, name, "default"), boots, BOOTS);
	}
	return r;
}

struct sides {
	struct result *docs[2][RUNS];
};

/* Runs in turns, or all of the base first. */
static struct sides sides(double effect, double slower, bool turns)
{
	struct sides s;

	for (int k = 0; k < RUNS; k++)
		for (int side = 0; side < 2; side++)
			s.docs[side][k] = run((unsigned int)(1 + 2 * k + side), effect,
					      side ? slower : 0,
					      turns ? 2 * k + side : k + RUNS * side);
	return s;
}

static void sides_free(struct sides *s)
{
	for (int i = 0; i < 2 * RUNS; i++)
		result_free(s->docs[i / RUNS][i % RUNS]);
}

static int judge(const struct sides *s, size_t n, struct compare *c, struct error *err)
{
	return compare_sides((const struct result *const *)s->docs[0], n,
			     (const struct result *const *)s->docs[1], n, &plain, c, err);
}

static bool has_note(const struct compare *c, const char *words)
{
	for (size_t i = 0; i < c->n_notes; i++)
		if (strstr(c->notes[i], words))
			return true;
	return false;
}

/* Effects of 1 %, which boots of one run agree on: false changes for one run a side. */
Test(runs, are_the_unit)
{
	struct sides s = sides(0.01, 0.05, true);
	struct error err;
	struct compare c;

	cr_assert_eq(judge(&s, 1, &c, &err), 0);
	cr_expect_eq(c.count[COMPARE_WORSE] + c.count[COMPARE_BETTER], 0);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE_MAYBE);
	cr_expect_eq(compare_outcome(&c), COMPARE_WORSE_MAYBE);
	cr_expect(has_note(&c, "One run of each"));
	compare_free(&c);

	cr_assert_eq(judge(&s, RUNS, &c, &err), 0);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE, "%g to %g, p %g", c.rows[0].lo,
		     c.rows[0].hi, c.rows[0].p_holm);
	cr_expect_eq(c.count[COMPARE_WORSE] + c.count[COMPARE_BETTER], 1);
	cr_expect(c.rows[0].base.runs == RUNS && c.rows[0].new.runs == RUNS);
	cr_expect(c.rows[0].base.boots == (size_t)RUNS * BOOTS);
	cr_expect_str_eq(c.rows[0].method, "moderated t");
	cr_expect(fabs(c.rows[0].shift_ratio - 1.05) < 0.01);
	cr_expect(has_note(&c, "5 runs of base and 5 of new"));
	compare_free(&c);
	sides_free(&s);
}

/* All rows of a pair of configs show the noise between runs, as those of one config do.
 */
Test(runs, of_two_configs_share_their_noise)
{
	struct compare_options o = { .config = { "default", "pmu-off" } };
	struct sides s = sides(0.01, 0, true);
	struct error err;
	struct compare c;

	for (int k = 0; k < RUNS; k++)
		for (size_t i = 0; i < ROWS; i++)
			s.docs[1][k]->benchmarks[i].config = "pmu-off";
	cr_assert_eq(compare_sides((const struct result *const *)s.docs[0], RUNS,
				   (const struct result *const *)s.docs[1], RUNS, &o, &c,
				   &err),
		     0, "%s", err.text);
	cr_expect_eq(c.runs.rows, ROWS);
	cr_expect(c.rows[0].df > 2 * RUNS, "%g", c.rows[0].df);
	compare_free(&c);
	sides_free(&s);
}

/* A slow change of the machine looks like a difference. */
Test(runs, in_blocks_have_no_verdict)
{
	struct sides s = sides(0.002, 0.05, false);
	struct error err;
	struct compare c;

	cr_assert_eq(judge(&s, RUNS, &c, &err), 0);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE_MAYBE);
	cr_expect_eq(c.count[COMPARE_WORSE], 0);
	cr_expect(has_note(&c, "in turns"));
	compare_free(&c);
	sides_free(&s);
}

/* The same document twice would make runs look alike. */
Test(runs, count_once)
{
	struct sides s = sides(0.002, 0, true);
	struct result *again = s.docs[1][1];
	struct error err;
	struct compare c;

	s.docs[1][1] = s.docs[1][0];
	cr_expect(judge(&s, RUNS, &c, &err) < 0);
	cr_expect(strstr(err.text, "given twice"), "%s", err.text);
	s.docs[1][1] = again;
	sides_free(&s);
}

/* A row that some runs lack is judged by the others; without an interval of one run. */
Test(runs, may_lack_a_row)
{
	struct sides s = sides(0.002, 0.05, true);
	struct error err;
	struct compare c;

	s.docs[1][2]->benchmarks[0].status = RESULT_FAIL;
	s.docs[0][0]->benchmarks[3].handled_by = HANDLED_USER;
	cr_assert_eq(judge(&s, RUNS, &c, &err), 0);
	cr_expect_eq(c.rows[0].new.runs, RUNS - 1);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	cr_expect_eq(c.rows[3].verdict, COMPARE_NONE);
	cr_expect(strstr(c.rows[3].reason, "the runs differ"), "%s", c.rows[3].reason);
	compare_free(&c);
	sides_free(&s);
}

/* Several runs of an exact target: the range over all boots. */
Test(runs, of_an_exact_target)
{
	struct result *docs[4];
	struct error err;
	struct compare c;
	const double values[4] = { 100, 102, 101, 103 };

	for (int i = 0; i < 4; i++) {
		docs[i] = fixture_document("lab:aarch64-vhe", true);
		docs[i]->run.id = result_format(docs[i], "run-%d", i);
		fixture_exact(docs[i], "hypercall", i < 2 ? 100 : 102);
		fixture_exact(docs[i], "cr3", values[i]);
	}
	cr_assert_eq(compare_sides((const struct result *const *)docs, 2,
				   (const struct result *const *)docs + 2, 2, &plain, &c,
				   &err),
		     0);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	cr_expect_eq(c.rows[0].difference, 2);
	cr_expect_eq(c.rows[1].verdict, COMPARE_SAME_PLACEMENT);
	compare_free(&c);
	for (int i = 0; i < 4; i++)
		result_free(docs[i]);
}

/* A clock that steps by 2^62 times nothing: no band hides the rows. */
Test(runs, with_an_absurd_clock_are_invalid)
{
	struct result *a = run(1, 0, 0, 1), *b = run(2, 0, 0.1, 2);
	struct error err;
	struct compare c;

	b->clock.resolution = (uint64_t)1 << 62;
	cr_expect(compare_documents(a, b, &plain, &c, &err) < 0);
	cr_expect(strstr(err.text, "run-2 is invalid"), "%s", err.text);
	b->clock.hz = 1000000000;
	b->clock.resolution = 2000000;
	cr_expect(compare_documents(a, b, &plain, &c, &err) < 0);
	b->clock.resolution = 40;
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* Rows with independent noise of about 0.5 %; the second config of a row is paired. */
static struct result *boots_of(unsigned int seed, size_t n, const char *second)
{
	struct result *r = fixture_document("kvm", false);

	for (unsigned int row = 0; row < ROWS; row++) {
		double boots[60];
		char name[16];

		snprintf(name, sizeof(name), "row%u", row);
		for (unsigned int side = 0; side < (second ? 2u : 1u); side++) {
			/* The sum of three is nearly normal. */
			for (unsigned int i = 0; i < n; i++)
				boots[i] =
					10000 *
					(1 +
					 0.005 * (noise(seed + side, 97 * row + i) +
						  noise(seed + 7, 61 * row + i) +
						  noise(seed + 9 + side, 31 * row + i)));
			fixture_boots(r, fixture_row(r, name, side ? second : "default"),
				      boots, n);
		}
	}
	return r;
}

/* Ten boots leave rows undecided; enough boots decide all rows of two such runs. */
Test(enough, is_what_decides_a_comparison)
{
	struct compare_enough enough;
	struct result *a = NULL, *b;
	struct error err;
	struct compare c;
	size_t n = 0;

	for (size_t boots = 10; boots <= 60 && !n; boots += 10) {
		a = boots_of(100, boots, NULL);
		cr_expect_eq(compare_is_enough(a, 0.3, &enough), true);
		if (compare_is_enough(a, 0.02, &enough))
			n = boots;
		else
			cr_expect(enough.worst && enough.decided < enough.rows);
		cr_expect(enough.rows == ROWS && enough.boots == boots && !enough.pairs);
		if (!n)
			result_free(a);
	}
	cr_assert(n > 10 && n <= 60, "%zu", n);
	b = boots_of(200, n, NULL);
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect_eq(c.count[COMPARE_SAME], ROWS, "%zu of %d", c.count[COMPARE_SAME],
		     ROWS);
	compare_free(&c);
	result_free(a);
	result_free(b);
	/* Few boots are never significant among the rows. */
	a = boots_of(100, 4, NULL);
	cr_expect_eq(compare_is_enough(a, 1, &enough), false);
	result_free(a);
}

/* Pairs are judged by their ratios: the noise that both share does not count. */
Test(enough, of_configs_in_pairs)
{
	struct result *r = boots_of(300, 30, "pmu-off"), *base;
	struct compare_enough pairs;

	cr_expect(compare_is_enough(r, 0.04, &pairs), "%zu of %zu", pairs.decided,
		  pairs.rows);
	cr_expect(pairs.pairs && pairs.rows == ROWS);
	base = boots_of(300, 30, NULL);
	cr_expect(compare_is_enough(base, 0.04, &pairs) && !pairs.pairs);
	result_free(base);
	result_free(r);
}

/*
 * Simulated: 3000 series each of an AR(1) process with coefficient 0.9; the ratio of the
 * sums of products and squares was 0.521 and 0.782, the mean of s^2 0.305 and 0.576.
 */
Test(variance, of_correlated_values)
{
	cr_expect(fabs(stats_ar_of_lag1(0.514, 10) - 0.9) < 0.01);
	cr_expect(fabs(stats_ar_of_lag1(0.779, 30) - 0.9) < 0.01);
	cr_expect_eq(stats_ar_of_lag1(-0.1, 10), 0);
	cr_expect_eq(stats_ar_of_lag1(NAN, 10), 0);
	cr_expect_eq(stats_ar_of_lag1(0.9, 10), STATS_AR_MAX);
	cr_expect_eq(stats_ar_inflation(0, 10), 1);
	/* V = 7.28: 7.28 / 0.303. */
	cr_expect(fabs(stats_ar_inflation(0.9, 10) - 24.0) < 0.1);
	cr_expect(fabs(stats_ar_inflation(0.9, 30) - 23.0) < 0.1);
}

Test(variance, is_moderated_over_rows)
{
	double equal[20], uneven[20];
	struct stats_prior prior, own;

	for (int i = 0; i < 20; i++) {
		equal[i] = 4;
		uneven[i] = i % 2 ? 1000 : 0.001;
	}
	/* More alike than chance makes them: all other rows count. */
	prior = stats_prior_fit(equal, 20, 8, 1e-12);
	cr_expect(prior.df == 19 * 8 && fabs(prior.variance / 4 - 1) < 0.15);
	own = stats_prior_apply(&prior, 2, 8);
	cr_expect_eq(own.df, 20 * 8);
	cr_expect(fabs(own.variance - (8 * 2 + 152 * prior.variance) / 160) < 1e-9);
	/* Far more variable than the others: alone. */
	own = stats_prior_apply(&prior, 400, 8);
	cr_expect(own.df == 8 && own.variance == 400);
	/* Rows with nothing in common. */
	prior = stats_prior_fit(uneven, 20, 8, 1e-12);
	own = stats_prior_apply(&prior, 2, 8);
	cr_expect(own.df == 8 && own.variance == 2, "%g %g", prior.df, own.df);
	cr_expect_eq(stats_prior_fit(equal, 2, 8, 1e-12).df, 0);
	/* Equal variances: the degrees of freedom add up. */
	cr_expect_eq(stats_df_of_sum(1, 8, 1, 8), 16);
	cr_expect_eq(stats_df_of_sum(1, 8, 0, 0), 8);
}
