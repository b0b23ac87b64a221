/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the drift between two runs. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/compare/compare.h"
#include "host/tests/compare_fixture.h"

static const struct compare_options plain;

#define ROWS  9
#define BOOTS 10

/* Ten pseudo-random numbers from -1 to 1 for each `which`. */
static double noise(unsigned int which, unsigned int i)
{
	unsigned int x = which * 1103515245u + i * 2654435761u + 12345u;

	/* Products alone give all rows of a run the same noise. */
	for (int k = 0; k < 2; k++)
		x = (x ^ x >> 15) * 2246822519u;
	return (double)(x >> 8) / (double)(1u << 23) - 1;
}

/* Rows with own noise, and noise that all rows of a round share. */
static struct result *wandering(unsigned int run, double own, double shared)
{
	struct result *r = fixture_document("kvm", false);
	double boots[BOOTS];
	char name[16];

	for (unsigned int row = 0; row < ROWS; row++) {
		snprintf(name, sizeof(name), "row%u", row);
		for (unsigned int i = 0; i < BOOTS; i++)
			boots[i] = 1000 * (row + 1) *
				   (1 + own * noise(run * ROWS + row, i) +
				    shared * noise(1000 + run, i));
		fixture_boots(r, fixture_row(r, name, "default"), boots, BOOTS);
	}
	return r;
}

/* Makes all boots of a row slower. */
static void make_longer(struct result *r, size_t row, double by)
{
	struct result_metric *m = &r->benchmarks[row].metrics[0];

	m->value *= 1 + by;
	for (size_t i = 0; i < m->n_boots; i++)
		m->boots[i].summary.p50 *= 1 + by;
}

Test(drift, a_quiet_machine_drifts_little)
{
	struct result *a = wandering(1, 0.005, 0), *b = wandering(2, 0.005, 0);
	struct error err;
	struct compare c;

	make_longer(b, 3, 0.04);
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect_lt(c.drift.sd, 0.003);
	cr_expect_eq(c.rows[3].verdict, COMPARE_WORSE_MAYBE);
	cr_expect_eq(c.count[COMPARE_WORSE_MAYBE], 1);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/*
 * All rows are 5 % slower on a machine with a drift of that size: no verdict, although
 * the boots agree within each run.
 */
Test(drift, is_allowed_for)
{
	struct result *a = wandering(1, 0.002, 0.03), *b = wandering(2, 0.002, 0.03);
	struct error err;
	struct compare c;

	for (size_t i = 0; i < ROWS; i++)
		make_longer(b, i, 0.05);
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect(c.drift.sd > 0.015 && c.drift.sd < 0.04, "%g", c.drift.sd);
	cr_expect_eq(c.count[COMPARE_INCONCLUSIVE], ROWS);
	cr_expect(c.n_notes && strstr(c.notes[0], "machine drifts"));
	compare_free(&c);
	/* A much larger difference is detected. */
	for (size_t i = 0; i < ROWS; i++)
		make_longer(b, i, 0.4);
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect_eq(c.count[COMPARE_WORSE_MAYBE], ROWS);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* Boots of one row that have no round, as their numbers are too large. */
Test(drift, rows_without_rounds_are_not_rows_without_noise)
{
	struct result *r = wandering(1, 0.005, 0), *few = wandering(1, 0.005, 0);
	struct drift all = drift_of(r), d;

	for (size_t row = 0; row < 4; row++)
		for (uint32_t i = 0; i < BOOTS; i++)
			few->benchmarks[row].metrics[0].boots[i].index = 1000 + i;
	d = drift_of(few);
	cr_expect_gt(d.own.df, 0);
	cr_expect_gt(d.own.variance, all.own.variance / 2, "%g of %g", d.own.variance,
		     all.own.variance);
	drift_free(&all);
	drift_free(&d);
	result_free(r);
	result_free(few);
}

/* An outlier in one row is not drift. */
Test(drift, is_what_rows_have_in_common)
{
	struct result *r = wandering(1, 0.002, 0);
	struct drift quiet = drift_of(r), d;

	r->benchmarks[4].metrics[0].boots[2].summary.p50 *= 10;
	d = drift_of(r);
	cr_expect(d.rounds == BOOTS && fabs(d.sd - quiet.sd) < 0.0005);
	drift_free(&quiet);
	drift_free(&d);
	r->target.exact = true;
	cr_expect_eq(drift_of(r).sd, 0);
	result_free(r);
}
