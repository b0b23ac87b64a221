/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of run --aa: which differences a machine can detect. */
#include <errno.h>

#include <criterion/criterion.h>

#include "host/compare/compare.h"
#include "host/tests/compare_fixture.h"

#define PAIRS 20

static struct aa judged(const struct result *r)
{
	struct aa aa;

	cr_assert_eq(aa_judge(r, &aa), 0);
	return aa;
}

/* Boots with a drift, which pairs cancel. */
static struct result *drifting(double second)
{
	struct result *r = fixture_document("kvm", false);
	double boots[2 * PAIRS];

	for (int pair = 0; pair < PAIRS; pair++) {
		boots[2 * pair] = 1000 + 20 * pair + pair % 5 / 2.0;
		boots[2 * pair + 1] = 1000 + 20 * pair + pair * 3 % 7 / 3.0 + second;
	}
	fixture_boots(r, fixture_row(r, "hypercall", "default"), boots, 2 * PAIRS);
	return r;
}

Test(aa, pairs_detect_more_than_runs)
{
	struct result *r = drifting(0);
	struct aa aa = judged(r);

	cr_assert_eq(aa.n_rows, 1);
	cr_expect_eq(aa.boots, PAIRS);
	cr_expect_eq(aa.boots_needed, 8);
	cr_expect(aa.pairs.wrong == 0 && aa.pairs.compared == 1);
	cr_expect(aa.runs.wrong == 0 && aa.runs.compared == 1);
	/* 1 % of about 1,190, and the remaining noise; the drift is 400. */
	cr_expect(aa.rows[0].visible_pairs > 11 && aa.rows[0].visible_pairs < 20);
	cr_expect_gt(aa.rows[0].visible_runs, 100);
	aa_free(&aa);
	result_free(r);
}

/*
 * The second boot of a pair always costs more. The order alternates between pairs, so the
 * effect is noise and not a difference.
 */
Test(aa, order_within_pairs_is_not_a_difference)
{
	struct result *r = drifting(200);
	struct aa aa = judged(r);

	cr_expect(!aa.rows[0].wrong_pairs && !aa.rows[0].wrong_runs);
	cr_expect(aa.rows[0].lo < -100 && aa.rows[0].hi > 100);
	cr_expect_gt(aa.rows[0].visible_pairs, 100);
	aa_free(&aa);
	result_free(r);
}

/* 0 errors in 1 row: the upper limit of the error rate at level 0.95 is 1 - 0.05. */
Test(aa, few_rows_have_a_wide_limit)
{
	struct result *r = drifting(0);
	struct aa aa = judged(r);

	cr_expect(fabs(aa.pairs.limit - 0.95) < 1e-9);
	aa_free(&aa);
	result_free(r);
}

Test(aa, too_few_boots_detect_nothing)
{
	struct result *r = fixture_document("kvm", false);
	const double boots[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct aa aa;

	fixture_boots(r, fixture_row(r, "hypercall", "default"), boots, 8);
	aa = judged(r);
	cr_expect(isnan(aa.rows[0].visible_pairs) && isnan(aa.rows[0].lo));
	aa_free(&aa);
	result_free(r);
}

Test(aa, without_noise_one_unit_is_detectable)
{
	struct result *r = fixture_document("lab:aarch64-vhe", true);
	const double boots[] = { 1495, 1495, 1495, 1495 };
	struct aa aa;

	fixture_boots(r, fixture_row(r, "hypercall", "default"), boots, 4);
	aa = judged(r);
	cr_expect(aa.rows[0].visible_pairs == 1 && aa.rows[0].visible_runs == 1);
	cr_expect(aa.rows[0].difference == 0 && !aa.rows[0].wrong_pairs);
	aa_free(&aa);
	result_free(r);
}

Test(aa, nothing_to_judge)
{
	struct result *r = fixture_document("kvm", false);
	struct aa aa;

	fixture_row(r, "hypercall", "default")->status = RESULT_SKIP;
	cr_expect_eq(aa_judge(r, &aa), -ENODATA);
	result_free(r);
}
