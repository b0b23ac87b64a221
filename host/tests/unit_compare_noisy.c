/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of verdicts on noisy targets: pairs, two runs, bands, families. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/compare/compare.h"
#include "host/tests/compare_fixture.h"

#define BOOTS_MAX 64

static const struct compare_options plain;
static const struct compare_options configs = { .config = { "a", "b" } };

/* Different boots within `spread` of `middle`. */
static const double *around(double middle, double spread, size_t n)
{
	static double values[2][BOOTS_MAX];
	static unsigned int turn;
	double *out = values[turn++ % 2];

	for (size_t i = 0; i < n; i++)
		out[i] = middle *
			 (1 +
			  spread * ((double)((i * 7 + 3) % n) * 2 / (double)(n - 1) - 1));
	return out;
}

/* Compares one row of two runs. Returns the first row. */
static struct compare_row runs(const double *base, size_t n_base, const double *new,
			       size_t n_new)
{
	struct result *a = fixture_document("kvm", false);
	struct result *b = fixture_document("kvm", false);
	struct error err;
	struct compare_row row;
	struct compare c;

	fixture_boots(a, fixture_row(a, "hypercall", "default"), base, n_base);
	fixture_boots(b, fixture_row(b, "hypercall", "default"), new, n_new);
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_assert(c.n_rows == 1 && !c.paired);
	row = c.rows[0];
	compare_free(&c);
	result_free(a);
	result_free(b);
	return row;
}

static struct compare_row pairs(const double *base, const double *new, size_t n)
{
	struct result *r = fixture_document("kvm", false);
	struct error err;
	struct compare_row row;
	struct compare c;

	fixture_boots(r, fixture_row(r, "hypercall", "a"), base, n);
	fixture_boots(r, fixture_row(r, "hypercall", "b"), new, n);
	cr_assert_eq(compare_documents(r, r, &configs, &c, &err), 0);
	cr_assert(c.n_rows == 1 && c.paired);
	row = c.rows[0];
	compare_free(&c);
	result_free(r);
	return row;
}

#define expect_verdict(row, want)                                                        \
	cr_expect_eq((row).verdict, want, "%s, not %s: %g to %g, band %g, p %g: %s",     \
		     compare_verdict_name((row).verdict), compare_verdict_name(want),    \
		     (row).lo, (row).hi, (row).band, (row).p_holm, (row).reason)

/* two runs */

Test(runs, far_apart)
{
	struct compare_row row;

	row = runs(around(1000, 0.005, 10), 10, around(1100, 0.005, 10), 10);
	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect(row.cliff == 1 && row.p == row.p_holm && row.p < 2e-5);
	cr_expect(fabs(row.shift - 100) < 2 && row.lo > 80 && row.hi < 120);
	cr_expect(fabs(row.shift_ratio - 1.1) < 0.002);
	cr_expect_eq(row.band, 10);
	row = runs(around(1100, 0.005, 10), 10, around(1000, 0.005, 10), 10);
	expect_verdict(row, COMPARE_BETTER_MAYBE);
	cr_expect_eq(row.cliff, -1);
}

Test(runs, within_the_band)
{
	/* Significant, but within 1 %. */
	struct compare_row row =
		runs(around(1000, 0.0005, 10), 10, around(1004, 0.0005, 10), 10);

	expect_verdict(row, COMPARE_SAME);
	cr_expect(row.p < 0.01 && row.lo > 0);
}

/* The interval covers both "no change" and "a change that matters". */
Test(runs, too_noisy)
{
	struct compare_row row =
		runs(around(1000, 0.1, 10), 10, around(1030, 0.1, 10), 10);

	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.boots_needed > 100, "%g", row.boots_needed);
	cr_expect(strstr(row.reason, "boots per side would decide"), "%s", row.reason);
}

/*
 * Where the shift is within the noise, the note names the noise: a shift that is near the
 * edge of the band by chance does not make a row undecidable.
 */
Test(runs, noise_hides_small_changes)
{
	struct compare_row same =
		runs(around(1000, 0.02, 20), 20, around(1001, 0.02, 20), 20);
	struct compare_row edge =
		runs(around(1000, 0.02, 20), 20, around(1010, 0.02, 20), 20);

	expect_verdict(same, COMPARE_INCONCLUSIVE);
	expect_verdict(edge, COMPARE_INCONCLUSIVE);
	cr_expect(strstr(same.reason, "noise hides changes below"), "%s", same.reason);
	cr_expect(strstr(same.reason, "boots per side show 2 %"), "%s", same.reason);
	cr_expect(same.boots_needed > 20 && same.boots_needed < 500);
	cr_expect_eq(edge.boots_needed, same.boots_needed);
}

/* The interval is narrower than the band, and its middle is on the edge. */
Test(runs, a_shift_as_large_as_the_band)
{
	struct compare_row row =
		pairs(around(1000, 0.001, 12), around(1010, 0.004, 12), 12);

	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(isnan(row.boots_needed));
	cr_expect(strstr(row.reason, "about as large as the band"), "%s", row.reason);
}

Test(runs, too_few_boots)
{
	struct compare_row row =
		runs(around(1000, 0.001, 3), 3, around(1500, 0.001, 3), 3);

	/* 2 / C(6, 3) is the least p; no interval covers 95 %. */
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(isnan(row.lo) && isnan(row.hi));
	cr_expect_eq(row.boots_needed, 5);
	/* There is an interval, but the least p is 2 / C(8, 4) = 0.029. */
	row = runs(around(1000, 0.001, 4), 4, around(1500, 0.001, 4), 4);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.lo > row.band, "clear of the band, and not significant");
	cr_expect_eq(row.boots_needed, 5);
	row = runs(around(1000, 0.001, 5), 5, around(1500, 0.001, 5), 5);
	expect_verdict(row, COMPARE_WORSE_MAYBE);
}

/* The clock overhead is subtracted: a figure can be 0 or negative. */
Test(runs, no_ratio_to_nothing)
{
	const double below[] = { -1, 0, 0, -1, 0, 0 };
	const double above[] = { 20, 22, 21, 20, 22, 21 };
	struct compare_row row = runs(below, 6, above, 6);

	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect(isnan(row.ratio) && isnan(row.ratio_lo) && row.lo >= 20);
	row = pairs(below, above, 6);
	cr_expect(isnan(row.ratio) && row.shift >= 20 && row.lo >= 20);
}

/* A document with very many boots is neither slow nor out of memory. */
Test(runs, many_boots)
{
	struct result *docs[2];
	struct error err;
	struct compare c;

	for (int d = 0; d < 2; d++) {
		struct result_metric *m;

		docs[d] = fixture_document("kvm", false);
		m = fixture_boots(docs[d], fixture_row(docs[d], "hypercall", "default"),
				  around(1000 + 100 * d, 0.01, 10), 10);
		for (uint32_t i = 10; i < 100000; i++) {
			struct result_boot *boot = result_add_boot(docs[d], m);

			*boot = m->boots[i % 10];
			boot->index = i;
		}
	}
	cr_assert_eq(compare_documents(docs[0], docs[1], &plain, &c, &err), 0);
	expect_verdict(c.rows[0], COMPARE_WORSE_MAYBE);
	compare_free(&c);
	result_free(docs[0]);
	result_free(docs[1]);
}

/* pairs */

/* The drift exceeds the difference: pairs detect it, two runs do not. */
Test(pairs, see_through_drift)
{
	double base[12], new[12];
	struct compare_row row;

	for (int i = 0; i < 12; i++) {
		base[i] = 1000 + 50 * i;
		new[i] = base[i] * (1.03 + 0.0005 * (i % 5));
	}
	row = pairs(base, new, 12);
	expect_verdict(row, COMPARE_WORSE);
	cr_expect(row.shift_ratio > 1.03 && row.shift_ratio < 1.032 &&
		  row.ratio_lo >= 1.03 - 1e-9);
	cr_expect(fabs(row.p - 2.0 / 4096) < 1e-12);
	cr_expect_eq(row.pairs, 12);
	row = runs(base, 12, new, 12);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
}

/* Pairs whose noise is as large as the difference. */
Test(pairs, too_noisy_to_tell)
{
	double base[12], new[12];
	struct compare_row row;

	for (int i = 0; i < 12; i++) {
		base[i] = 1000;
		new[i] = 1030 + 50 * ((i * 5) % 12 - 5.5) / 5.5;
	}
	row = pairs(base, new, 12);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.boots_needed > 12 && row.boots_needed < 200);
	cr_expect(strstr(row.reason, "pairs would decide"), "%s", row.reason);
}

/* Six pairs: 2 / 64 is the least p. Eight pairs are enough. */
Test(pairs, too_few)
{
	struct compare_row row = pairs(around(1000, 0.001, 6), around(1500, 0.001, 6), 6);

	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect_eq(row.boots_needed, 8);
	cr_expect(strstr(row.reason, "too few pairs to be significant"), "%s",
		  row.reason);
}

Test(pairs, equal_pairs_are_the_same)
{
	const double *values = around(1000, 0.2, 10);
	struct compare_row row = pairs(values, values, 10);

	expect_verdict(row, COMPARE_SAME);
	cr_expect(row.p == 1 && row.lo == 0 && row.hi == 0);
}

/* A rejected boot removes only its own pair. */
Test(pairs, go_by_index)
{
	struct result *r = fixture_document("kvm", false);
	double base[12], new[12];
	struct result_metric *m;
	struct error err;
	struct compare c;

	for (int i = 0; i < 12; i++) {
		base[i] = 1000 + 100 * i;
		new[i] = base[i] * 1.1;
	}
	m = fixture_boots(r, fixture_row(r, "hypercall", "a"), base, 12);
	m->boots[3].valid = false;
	m->boots[3].summary.p50 = 1e9;
	m = fixture_boots(r, fixture_row(r, "hypercall", "b"), new, 12);
	m->boots[0].valid = false;
	cr_assert_eq(compare_documents(r, r, &configs, &c, &err), 0);
	cr_expect_eq(c.rows[0].pairs, 10);
	cr_expect(fabs(c.rows[0].ratio_lo - 1.1) < 1e-9);
	cr_expect(fabs(c.rows[0].ratio_hi - 1.1) < 1e-9);
	cr_expect(c.n_notes > 0 && strstr(c.notes[0], "1 of 12 boots of base"));
	compare_free(&c);
	result_free(r);
}

/* families */

/*
 * Six boots per side: the least p is 2 / C(12, 6) = 0.0022, enough for a family of four
 * tests, not of five.
 */
static enum compare_verdict first_of(size_t rows)
{
	struct result *a = fixture_document("kvm", false);
	struct result *b = fixture_document("kvm", false);
	enum compare_verdict verdict;
	struct error err;
	struct compare c;
	char name[32];

	for (size_t i = 0; i < rows; i++) {
		snprintf(name, sizeof(name), "row%zu", i);
		fixture_boots(a, fixture_row(a, name, "default"), around(1000, 0.01, 6),
			      6);
		fixture_boots(b, fixture_row(b, name, "default"),
			      around(i ? 1000 : 1200, 0.01, 6), 6);
	}
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	verdict = c.rows[0].verdict;
	cr_expect(fabs(c.rows[0].p_holm - 2.0 / 924 * (double)rows) < 1e-12);
	compare_free(&c);
	result_free(a);
	result_free(b);
	return verdict;
}

Test(families, more_tests_need_a_smaller_p)
{
	cr_expect_eq(first_of(1), COMPARE_WORSE_MAYBE);
	cr_expect_eq(first_of(4), COMPARE_WORSE_MAYBE);
	cr_expect_eq(first_of(5), COMPARE_INCONCLUSIVE);
}

/* A metric of which more is better. */
Test(families, better_may_be_higher)
{
	struct result *a = fixture_document("kvm", false);
	struct result *b = fixture_document("kvm", false);
	struct error err;
	struct compare c;

	fixture_boots(a, fixture_row(a, "rate", "default"), around(1000, 0.001, 10), 10)
		->better = "higher";
	fixture_boots(b, fixture_row(b, "rate", "default"), around(1200, 0.001, 10), 10)
		->better = "higher";
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect_eq(c.rows[0].verdict, COMPARE_BETTER_MAYBE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* An exact target whose boots differ: ranges, not a test. */
Test(families, boots_of_an_exact_target_that_differ_take_no_test)
{
	struct result *a = fixture_document("lab:aarch64-vhe", true);
	struct result *b = fixture_document("lab:aarch64-vhe", true);
	struct error err;
	struct compare c;

	fixture_boots(a, fixture_row(a, "vm_create", "default"), around(1000, 0.1, 10),
		      10);
	fixture_boots(b, fixture_row(b, "vm_create", "default"), around(1300, 0.1, 10),
		      10);
	fixture_boots(a, fixture_row(a, "first_exit", "default"), around(1000, 0.1, 10),
		      10);
	fixture_boots(b, fixture_row(b, "first_exit", "default"), around(1100, 0.1, 10),
		      10);
	fixture_exact(a, "hypercall", 100);
	fixture_exact(b, "hypercall", 101);
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	cr_expect_str_eq(c.rows[0].method, "range");
	cr_expect(fabs(c.rows[0].difference - 70) < 1e-9);
	cr_expect_eq(c.rows[1].verdict, COMPARE_SAME_PLACEMENT);
	cr_expect(!c.rows[0].exact && c.rows[2].exact);
	cr_expect(isnan(c.rows[0].p) && isnan(c.rows[1].p));
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* figures */

/*
 * Boots with two modes. Three of four pairs go up by at least a fifth, but within their
 * mode, and the median goes down. A lower figure is never worse.
 */
Test(figures, difference_is_that_of_the_shown_figures)
{
	double base[41], new[41];
	struct compare_row row;

	/* Modes in no order: the pairs do not depend on each other. */
	for (int i = 0; i < 41; i++) {
		int mode = i * 17 % 41;

		base[i] = mode < 20 ? 500 : 1000;
		new[i] = mode < 20 ? 900 : mode < 31 ? 950 : 1200;
	}
	row = pairs(base, new, 41);
	cr_expect(row.base.value == 1000 && row.new.value == 950);
	cr_expect(row.difference == -50 && row.ratio == 0.95);
	cr_expect(row.shift > 0 && row.lo > row.band && row.p_holm < 0.01,
		  "%g, %g to %g, p %g", row.shift, row.lo, row.hi, row.p_holm);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(strstr(row.reason, "the boots have several modes"), "%s", row.reason);
	cr_expect(isnan(row.boots_needed));
}

/* Medians against the Hodges-Lehmann shift: a lower figure, and boots that moved up. */
Test(figures, of_two_runs)
{
	const double base[] = { 10, 10, 11, 20, 21, 21, 22 };
	const double new[] = { 12, 12, 13, 19, 25, 25, 26 };
	struct compare_row row = runs(base, 7, new, 7);

	cr_expect(row.base.value == 20 && row.new.value == 19);
	cr_expect(row.difference == -1 && row.ratio == 0.95);
	cr_expect(row.shift > 0, "%g", row.shift);
}

/* The figures of pairs are over the boots of complete pairs. */
Test(figures, of_pairs)
{
	struct result *r = fixture_document("kvm", false);
	const double base[] = { 1000, 1010, 1020, 1030, 1040, 1050, 1060, 1070 };
	const double new[] = { 1, 1110, 1120, 1130, 1140, 1150, 1160, 1170 };
	struct result_metric *m;
	struct error err;
	struct compare_row row;
	struct compare c;

	fixture_boots(r, fixture_row(r, "hypercall", "a"), base, 8);
	m = fixture_boots(r, fixture_row(r, "hypercall", "b"), new, 8);
	m->boots[0].valid = false;
	cr_assert_eq(compare_documents(r, r, &configs, &c, &err), 0);
	row = c.rows[0];
	cr_expect(row.base.value == 1040 && row.new.value == 1140);
	cr_expect_eq(row.difference, 100);
	cr_expect_eq(row.ratio, 1140.0 / 1040);
	/* The ratios fall slowly: 1110 / 1010 to 1170 / 1070. */
	cr_expect(fabs(row.shift_ratio - 1140.0 / 1040) < 1e-4);
	compare_free(&c);
	result_free(r);
}

/* A document whose boots all have one index. */
Test(figures, of_pairs_that_share_a_boot)
{
	struct result *r = fixture_document("kvm", false);
	struct result_metric *m;
	struct error err;
	struct compare c;

	m = fixture_boots(r, fixture_row(r, "hypercall", "a"), around(1000, 0.01, 60),
			  60);
	for (size_t i = 0; i < m->n_boots; i++)
		m->boots[i].index = 0;
	fixture_boots(r, fixture_row(r, "hypercall", "b"), around(1000, 0.01, 3), 1);
	cr_assert_eq(compare_documents(r, r, &configs, &c, &err), 0);
	cr_expect_eq(c.rows[0].pairs, 60);
	compare_free(&c);
	result_free(r);
}

/* A side of `run --against`: one row of a config. */
static struct result *side_of_pair(const char *id, const char *side, const char *config,
				   const double *boots)
{
	struct result *r = fixture_document("kvm", false);

	r->run.pair = (struct result_pair){ id, side, config };
	fixture_boots(r, fixture_row(r, "hypercall", config), boots, 20);
	return r;
}

/* A machine that gets slower by 2 % a round; B costs 3 % more than A. */
Test(pairs, of_two_documents)
{
	double a[20], b[20];
	struct result *base, *new, *other;
	struct compare c;
	struct error err;

	for (int i = 0; i < 20; i++) {
		a[i] = 10000 * (1 + 0.02 * i) + 7 * (i % 5);
		b[i] = 1.03 * a[i] + 11 * (i % 3);
	}
	base = side_of_pair("1", "base", "a", a);
	new = side_of_pair("1", "new", "b", b);
	other = side_of_pair("2", "new", "b", b);
	cr_expect(result_is_pair(base, new) && result_is_pair(new, base));
	cr_assert_eq(compare_documents(base, new, &plain, &c, &err), 0);
	cr_expect(c.paired && c.n_rows == 1 && c.rows[0].pairs == 20);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	compare_free(&c);
	cr_assert_eq(compare_documents(new, base, &plain, &c, &err), 0);
	cr_expect(c.paired && c.rows[0].verdict == COMPARE_BETTER);
	compare_free(&c);
	/* Of two runs, and a document with itself. */
	cr_expect(!result_is_pair(base, other) && !result_is_pair(base, base));
	cr_assert_eq(compare_documents(base, other, &plain, &c, &err), 0);
	cr_expect(!c.paired && c.rows[0].verdict == COMPARE_INCONCLUSIVE);
	cr_expect_str_eq(c.rows[0].new.config, "b");
	compare_free(&c);
	result_free(base);
	result_free(new);
	result_free(other);
}

static bool has_note(const struct compare *c, const char *words)
{
	for (size_t i = 0; i < c->n_notes; i++)
		if (strstr(c->notes[i], words))
			return true;
	return false;
}

/* One row that two runs do not decide: the command that would. */
Test(notes, offer_pairs)
{
	struct result *a = fixture_document("kvm", false);
	struct result *b = fixture_document("kvm", false);
	struct compare c;
	struct error err;

	fixture_boots(a, fixture_row(a, "cpuid", "a"), around(1000, 0.02, 10), 10);
	fixture_boots(a, fixture_row(a, "cpuid", "b"), around(1020, 0.02, 10), 10);
	fixture_boots(b, fixture_row(b, "cpuid", "a"), around(1000, 0.02, 10), 10);
	fixture_boots(b, fixture_row(b, "cpuid", "b"), around(1020, 0.02, 10), 10);
	cr_assert_eq(compare_documents(a, b, &configs, &c, &err), 0);
	cr_assert_eq(c.rows[0].verdict, COMPARE_INCONCLUSIVE);
	cr_expect(has_note(
		&c, "wsbench run --on kvm --bench cpuid --config a --against b -o DIR"));
	compare_free(&c);
	/* Kernels of a host cannot be pairs. */
	a->subject.kernel = "6.1";
	b->subject.kernel = "6.12";
	cr_assert_eq(compare_documents(a, b, &plain, &c, &err), 0);
	cr_expect(has_note(
		&c,
		"reboots.sh start -o DIR --kernels 6.1,6.12 -- --on kvm --bench cpuid "));
	cr_expect(!has_note(&c, "--against"));
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* thresholds */

/* Applies a threshold of 5 % to a row. */
static struct compare_row with_threshold(const double *base, const double *new, size_t n)
{
	struct result *a = fixture_document("kvm", false);
	struct result *b = fixture_document("kvm", false);
	struct compare_options o = { .n_thresholds = 1 };
	struct error err;
	struct compare_row row;
	struct threshold t;
	struct compare c;
	struct error bad;

	cr_assert_eq(threshold_parse(&t, "5%", &bad), 0);
	o.thresholds = &t;
	fixture_boots(a, fixture_row(a, "hypercall", "default"), base, n);
	fixture_boots(b, fixture_row(b, "hypercall", "default"), new, n);
	cr_assert_eq(compare_documents(a, b, &o, &c, &err), 0);
	row = c.rows[0];
	cr_expect_eq(compare_outcome(&c) == COMPARE_WORSE_MAYBE,
		     row.verdict == COMPARE_WORSE_MAYBE && !row.let_pass);
	cr_expect_eq(compare_outcome(&c) == COMPARE_INCONCLUSIVE,
		     row.verdict == COMPARE_INCONCLUSIVE && !row.let_pass);
	compare_free(&c);
	result_free(a);
	result_free(b);
	return row;
}

Test(let_pass, by_the_shift_or_by_all_of_the_interval)
{
	struct compare_row row;

	/* Worse by 4 %; by 6 %. */
	row = with_threshold(around(1000, 0.005, 10), around(1040, 0.005, 10), 10);
	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect(row.let_pass != NULL);
	row = with_threshold(around(1000, 0.005, 10), around(1060, 0.005, 10), 10);
	expect_verdict(row, COMPARE_WORSE_MAYBE);
	cr_expect_null(row.let_pass);
	/* Inconclusive: at most 5 %; possibly more. */
	row = with_threshold(around(1000, 0.012, 10), around(1005, 0.012, 10), 10);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect(row.let_pass != NULL && row.worst == row.hi, "%g to %g", row.lo,
		  row.hi);
	row = with_threshold(around(1000, 0.1, 10), around(1030, 0.1, 10), 10);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect_null(row.let_pass);
	/* Too few boots for an interval. */
	row = with_threshold(around(1000, 0.001, 3), around(1000, 0.001, 3), 3);
	expect_verdict(row, COMPARE_INCONCLUSIVE);
	cr_expect_null(row.let_pass);
}
