/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of verdicts: exact targets, ranges, what is missing, what is refused. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/claim/compare.h"
#include "host/tests/compare_fixture.h"

#define LAB "lab:aarch64-vhe"

static const struct compare_options plain;

static struct compare compared(const struct result *base, const struct result *new,
			       const struct compare_options *o)
{
	struct compare_error err = { "" };
	struct compare c;

	cr_assert_eq(compare_documents(base, new, o, &c, &err), 0, "%s", err.text);
	return c;
}

static void expect_refused(const struct result *base, const struct result *new,
			   const struct compare_options *o, const char *why)
{
	struct compare_error err = { "" };
	struct compare c;

	cr_assert_eq(compare_documents(base, new, o, &c, &err), -EINVAL);
	cr_expect(strstr(err.text, why), "'%s' does not say '%s'", err.text, why);
	cr_expect(!strchr(err.text, '\n'));
}

/* exact targets */

Test(exact, one_instruction_is_a_verdict)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 1495);
	fixture_exact(a, "smc", 1200);
	fixture_exact(a, "null", 0);
	fixture_exact(b, "hypercall", 1496);
	fixture_exact(b, "smc", 1199);
	fixture_exact(b, "null", 0);
	c = compared(a, b, &plain);

	cr_assert_eq(c.n_rows, 3);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	cr_expect(c.rows[0].exact && c.rows[0].difference == 1);
	cr_expect(c.rows[0].lo == 1 && c.rows[0].hi == 1);
	cr_expect_eq(c.rows[1].verdict, COMPARE_BETTER);
	cr_expect_eq(c.rows[1].difference, -1);
	cr_expect_eq(c.rows[2].verdict, COMPARE_SAME);
	cr_expect(isnan(c.rows[2].ratio), "there is no ratio to nothing");
	cr_expect_eq(compare_outcome(&c), COMPARE_WORSE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* As `run --bench` has it. */
Test(exact, core_selects_rows_beside_globs)
{
	const char *const words[] = { "core", "cr8_*" }, *const alone[] = { "core" };
	const struct compare_options both = { .benches = words, .n_benches = 2 };
	const struct compare_options core = { .benches = alone, .n_benches = 1 };
	struct result *a = fixture_document(LAB, true),
		      *few = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 1495);
	fixture_exact(a, "cr8_read", 1);
	fixture_exact(a, "wbinvd", 1);
	fixture_exact(a, "not_in_the_catalogue", 1);
	c = compared(a, a, &both);
	cr_assert_eq(c.n_rows, 2);
	cr_expect_str_eq(c.rows[0].name, "hypercall");
	cr_expect_str_eq(c.rows[1].name, "cr8_read");
	compare_free(&c);
	fixture_exact(few, "cr8_read", 1);
	expect_refused(few, few, &core, "'core'");
	result_free(a);
	result_free(few);
}

Test(exact, a_rare_path_is_remarked)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 1495);
	fixture_exact(b, "hypercall", 1495)->boots[0].summary.mean = 1495.25;
	c = compared(a, b, &plain);
	cr_expect_eq(c.rows[0].verdict, COMPARE_SAME);
	cr_expect_str_eq(c.rows[0].reason, "the median is the same, the mean of the "
					   "events went from 1495.00 to 1495.25");
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* Two boots that differ: their range is all that is known. */
static void expect_range(const double base[2], const double new[2],
			 enum compare_verdict want)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_boots(a, fixture_row(a, "vm_create", "default"), base, 2);
	fixture_boots(b, fixture_row(b, "vm_create", "default"), new, 2);
	c = compared(a, b, &plain);
	cr_expect_eq(c.rows[0].verdict, want, "%g %g, %g %g: %s", base[0], base[1],
		     new[0], new[1], compare_verdict_name(c.rows[0].verdict));
	cr_expect(!c.rows[0].exact);
	cr_expect_eq((int)*c.rows[0].reason != 0, want == COMPARE_INCONCLUSIVE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

Test(exact, boots_that_differ_are_ranges)
{
	/* Farther apart than five times what either reaches; or nearer. */
	expect_range((double[]){ 990, 1000 }, (double[]){ 1055, 1060 }, COMPARE_WORSE);
	expect_range((double[]){ 990, 1000 }, (double[]){ 935, 930 }, COMPARE_BETTER);
	expect_range((double[]){ 1000, 1000.5 }, (double[]){ 1004, 1004 }, COMPARE_WORSE);
	expect_range((double[]){ 990, 1000 }, (double[]){ 1040, 1045 },
		     COMPARE_INCONCLUSIVE);
	/* All within 1 %, or not. */
	expect_range((double[]){ 1000, 1002 }, (double[]){ 1004, 1006 }, COMPARE_SAME);
	expect_range((double[]){ 900, 1000 }, (double[]){ 950, 1050 },
		     COMPARE_INCONCLUSIVE);
	/* The same boots: the same. */
	expect_range((double[]){ 900, 1000 }, (double[]){ 900, 1000 }, COMPARE_SAME);
}

/* what is missing */

Test(missing, no_row_is_dropped)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct result_benchmark *skip;
	struct compare c;

	fixture_exact(a, "gone", 10);
	fixture_exact(a, "broken", 20);
	fixture_exact(a, "stays", 30);
	skip = fixture_row(b, "broken", "default");
	skip->status = RESULT_FAIL;
	skip->reason = "the guest crashed";
	fixture_exact(b, "stays", 30);
	fixture_exact(b, "fresh", 40);
	c = compared(a, b, &plain);

	cr_assert(c.rows && c.n_rows == 4);
	cr_expect_str_eq(c.rows[0].reason, "NEW: not there");
	cr_expect_str_eq(c.rows[1].reason, "NEW: fail: the guest crashed");
	cr_expect_eq(c.rows[2].verdict, COMPARE_SAME);
	cr_expect_str_eq(c.rows[3].name, "fresh");
	cr_expect_str_eq(c.rows[3].reason, "BASE: not there");
	cr_expect_eq(c.count[COMPARE_NONE], 3);
	cr_expect_eq(c.n_lost, 2);
	cr_expect_eq(compare_outcome(&c), COMPARE_INCONCLUSIVE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* What nobody had before cannot have got worse. */
Test(missing, new_rows_alone_do_no_harm)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "stays", 30);
	fixture_exact(b, "stays", 30);
	fixture_exact(b, "fresh", 40);
	c = compared(a, b, &plain);
	cr_expect_eq(compare_outcome(&c), COMPARE_SAME);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* what is refused */

Test(refused, what_is_not_of_one_kind)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	const struct compare_options machines = { .across = COMPARE_ACROSS_MACHINES };
	const struct compare_options targets = { .across = COMPARE_ACROSS_TARGETS };
	struct compare c;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 10);
	b->machine.fingerprint = "fedcba9876543210";
	expect_refused(a, b, &plain, "different machines");
	c = compared(a, b, &machines);
	compare_free(&c);
	b->target.name = "lab:x86_64-svm";
	expect_refused(a, b, &machines, "different targets");
	c = compared(a, b, &targets);
	compare_free(&c);
	b->benchmarks[0].metrics[0].unit = "ticks";
	expect_refused(a, b, &targets, "hypercall is in insns and in ticks");
	result_free(a);
	result_free(b);
}

Test(refused, units_told_to_differ_are_shown_without_a_verdict)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	const struct compare_options units = { .across = COMPARE_ACROSS_UNITS };
	struct compare c;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 20)->unit = "ticks";
	c = compared(a, b, &units);
	cr_expect_eq(c.rows[0].verdict, COMPARE_NONE);
	cr_expect(c.rows[0].base.value == 10 && c.rows[0].new.value == 20);
	cr_expect(isnan(c.rows[0].difference) && *c.rows[0].reason);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

Test(refused, nothing_of_that_name)
{
	struct result *a = fixture_document(LAB, true);
	const char *none[] = { "hypercal", "x*" };
	const struct compare_options benches = { .benches = none, .n_benches = 2 };
	const struct compare_options configs = { .config = { "default", "pmu-off" } };

	fixture_exact(a, "hypercall", 10);
	expect_refused(a, a, &benches, "no benchmark");
	expect_refused(a, a, &configs, "'pmu-off'");
	result_free(a);
}
