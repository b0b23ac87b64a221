/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of verdicts: exact targets, ranges, missing figures. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/compare/compare.h"
#include "host/tests/compare_fixture.h"

#define LAB "lab:aarch64-vhe"

static const struct compare_options plain;

static struct compare compared(const struct result *base, const struct result *new,
			       const struct compare_options *o)
{
	struct error err = { "" };
	struct compare c;

	cr_assert_eq(compare_documents(base, new, o, &c, &err), 0, "%s", err.text);
	return c;
}

static void expect_refused(const struct result *base, const struct result *new,
			   const struct compare_options *o, const char *why)
{
	struct error err = { "" };
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
	cr_expect(isnan(c.rows[2].ratio), "the ratio to 0 is not defined");
	cr_expect_eq(compare_outcome(&c), COMPARE_WORSE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* Words as in `run --bench`. */
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

Test(exact, a_rare_path_has_a_remark)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 1495);
	fixture_exact(b, "hypercall", 1495)->boots[0].summary.mean = 1495.25;
	c = compared(a, b, &plain);
	cr_expect_eq(c.rows[0].verdict, COMPARE_SAME);
	cr_expect_str_eq(c.rows[0].reason,
			 "equal medians; mean of the events: 1495.00, now 1495.25");
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* `waits` 0: the document does not have the metric. */
static void expect_waiting(const double figures[2], const double waits[2],
			   enum compare_verdict want, const char *why)
{
	struct result *docs[2];
	struct compare c;

	for (int i = 0; i < 2; i++) {
		struct result_metric *m;

		docs[i] = fixture_document(LAB, true);
		fixture_exact(docs[i], "vm_create", figures[i]);
		if (waits[i] == 0)
			continue;
		m = fixture_boots(docs[i], &docs[i]->benchmarks[0],
				  (const double[]){ waits[i], waits[i] }, 2);
		m->name = "waits";
		m->unit = "switches";
	}
	c = compared(docs[0], docs[1], &plain);
	cr_assert_eq(c.n_rows, 1);
	cr_expect_eq(c.rows[0].verdict, want, "%g, %g waits: %s", waits[0], waits[1],
		     compare_verdict_name(c.rows[0].verdict));
	cr_expect(strstr(c.rows[0].reason, why), "'%s'", c.rows[0].reason);
	for (size_t i = 0; i < c.n_notes; i++)
		cr_expect(!strstr(c.notes[i], "drift"), "'%s'", c.notes[i]);
	compare_free(&c);
	result_free(docs[0]);
	result_free(docs[1]);
}

Test(exact, a_difference_of_a_row_that_waits)
{
	const double up[2] = { 5000, 9000 }, down[2] = { 9000, 5000 };
	const double equal[2] = { 5000, 5000 };

	expect_waiting(up, (const double[]){ 0, 0 }, COMPARE_WORSE, "");
	expect_waiting(up, (const double[]){ 8, 8 }, COMPARE_INCONCLUSIVE,
		       "8, now 8; the clock may advance");
	expect_waiting(up, (const double[]){ 8, 8.4 }, COMPARE_INCONCLUSIVE, "not path");
	expect_waiting(up, (const double[]){ 8, 10 }, COMPARE_WORSE, "8, now 10");
	expect_waiting(up, (const double[]){ 0, 1 }, COMPARE_WORSE, "0, now 1");
	expect_waiting(up, (const double[]){ 10, 8 }, COMPARE_INCONCLUSIVE, "not path");
	expect_waiting(down, (const double[]){ 10, 8 }, COMPARE_BETTER, "10, now 8");
	expect_waiting(down, (const double[]){ 8, 10 }, COMPARE_INCONCLUSIVE, "not path");
	expect_waiting(equal, (const double[]){ 8, 8 }, COMPARE_SAME, "");
}

/* Boots differ on both sides, and on one side. */
static struct compare_row ranges(const double *base, size_t n_base, const double *new,
				 size_t n_new)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare_row row;
	struct compare c;

	fixture_boots(a, fixture_row(a, "vm_create", "default"), base, n_base);
	fixture_boots(b, fixture_row(b, "vm_create", "default"), new, n_new);
	c = compared(a, b, &plain);
	row = c.rows[0];
	compare_free(&c);
	result_free(a);
	result_free(b);
	return row;
}

static void expect_range(const double base[2], const double new[2],
			 enum compare_verdict want, double difference)
{
	struct compare_row row = ranges(base, 2, new, 2);

	cr_expect_eq(row.verdict, want, "%g %g, %g %g: %s", base[0], base[1], new[0],
		     new[1], compare_verdict_name(row.verdict));
	cr_expect_eq(row.difference, difference, "%g %g, %g %g: %g", base[0], base[1],
		     new[0], new[1], row.difference);
	cr_expect_str_eq(row.method, "range");
	cr_expect(!row.exact && row.shift == difference);
}

Test(exact, boots_that_differ_are_ranges)
{
	/* Disjoint: the distance of the nearest ends, however small. */
	expect_range((double[]){ 990, 1000 }, (double[]){ 1040, 1045 }, COMPARE_WORSE,
		     40);
	expect_range((double[]){ 1000, 990 }, (double[]){ 935, 930 }, COMPARE_BETTER,
		     -55);
	expect_range((double[]){ 3066, 3067 }, (double[]){ 3068, 3068 }, COMPARE_WORSE,
		     1);
	expect_range((double[]){ 3068, 3068 }, (double[]){ 3067, 3066 }, COMPARE_BETTER,
		     -1);
	/* Overlapping: in one point, in part, nested, equal. */
	expect_range((double[]){ 3066, 3067 }, (double[]){ 3067, 3068 },
		     COMPARE_SAME_PLACEMENT, 0);
	expect_range((double[]){ 3066, 3067 }, (double[]){ 3067, 3067 },
		     COMPARE_SAME_PLACEMENT, 0);
	expect_range((double[]){ 3067, 3067 }, (double[]){ 3066, 3070 },
		     COMPARE_SAME_PLACEMENT, 0);
	expect_range((double[]){ 900, 1000 }, (double[]){ 950, 1050 },
		     COMPARE_SAME_PLACEMENT, 0);
	expect_range((double[]){ 900, 1000 }, (double[]){ 900, 1000 },
		     COMPARE_SAME_PLACEMENT, 0);
}

Test(exact, ratios_of_ranges_are_of_the_nearest_ends)
{
	struct compare_row row =
		ranges((double[]){ 990, 1000 }, 2, (double[]){ 1050, 2000 }, 2);

	cr_expect_eq(row.ratio, 1.05);
	cr_expect(row.base.min == 990 && row.base.max == 1000);
	cr_expect(row.new.min == 1050 && row.new.max == 2000);
	cr_expect_str_eq(compare_verdict_name(COMPARE_SAME_PLACEMENT),
			 "same (placement)");
}

/*
 * Ranges of two boots of one distribution are disjoint with probability 2 / C(4, 2) =
 * 1/3; of five boots, with 2 / 252, without a remark.
 */
Test(exact, few_boots_have_a_remark)
{
	const double base[] = { 1000, 1001, 1002, 1003, 1004 };
	const double new[] = { 1010, 1011, 1012, 1013, 1014 };
	struct compare_row row = ranges(base, 2, new, 2);

	cr_expect(strstr(row.reason, "in up to 33 % of"), "%s", row.reason);
	cr_expect(strstr(row.reason, "--boots 5)"), "%s", row.reason);
	row = ranges(base, 5, new, 5);
	cr_expect_eq(row.verdict, COMPARE_WORSE);
	cr_expect_str_eq(row.reason, "");
}

/* The range ignores rejected boots. */
Test(exact, rejected_boots_make_no_range)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct result_metric *m;
	struct compare c;

	fixture_exact(a, "hypercall", 1000);
	m = fixture_boots(b, fixture_row(b, "hypercall", "default"),
			  (double[]){ 1001, 1001, 900 }, 3);
	m->boots[2].valid = false;
	c = compared(a, b, &plain);
	cr_expect_str_eq(c.rows[0].method, "exact");
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* classes */

/* `exits` for 100 events per boot. */
static struct result_benchmark *class_row(struct result *r, enum bench_handler handler,
					  int64_t exits, int64_t faults, double value)
{
	struct result_benchmark *b;

	fixture_exact(r, "rdpmc_general", value);
	b = &r->benchmarks[r->n_benchmarks - 1];
	b->handled_by = handler;
	b->exits = (struct result_exits){ .expected = exits,
					  .observed = exits,
					  .user = -1,
					  .interrupts = -1,
					  .faults = faults };
	return b;
}

struct class
{
	enum bench_handler handler;
	int64_t exits, faults; /* of 200 events */
};

static void expect_class(struct class was, struct class is, enum compare_verdict want,
			 const char *reason)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	class_row(a, was.handler, was.exits, was.faults, 2813);
	class_row(b, is.handler, is.exits, is.faults, 1562);
	c = compared(a, b, &plain);
	cr_expect_eq(c.rows[0].verdict, want, "%s: %s",
		     compare_verdict_name(c.rows[0].verdict), c.rows[0].reason);
	cr_expect_str_eq(c.rows[0].reason, reason);
	/* The figures are set. */
	cr_expect_eq(c.rows[0].difference, 1562 - 2813);
	cr_expect_eq(c.count[want], 1);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

Test(changed, handler)
{
	const struct class none = { HANDLED_NONE, 0, 0 },
			   kernel = { HANDLED_KERNEL, 200, 0 };
	const struct class user = { HANDLED_USER, 200, 0 },
			   fault = { HANDLED_KERNEL, 200, 200 };
	const struct class unknown = { HANDLED_UNKNOWN, 0, 0 };
	const struct class thrice = { HANDLED_KERNEL, 600, 0 };
	const struct class uncounted = { HANDLED_KERNEL, -1, 0 };
	/* One of four events exits, or one of three: one class. */
	const struct class often = { HANDLED_KERNEL, 50, 0 },
			   more = { HANDLED_KERNEL, 66, 0 };

	expect_class(kernel, fault, COMPARE_CHANGED, "handled by kernel, now by fault");
	expect_class(fault, kernel, COMPARE_CHANGED, "handled by fault, now by kernel");
	expect_class(kernel, user, COMPARE_CHANGED, "handled by kernel, now by user");
	expect_class(kernel, none, COMPARE_CHANGED, "handled by kernel, now by none");
	expect_class(kernel, thrice, COMPARE_CHANGED, "exits per event: 1, now 3");
	expect_class(kernel, kernel, COMPARE_BETTER, "");
	expect_class(often, more, COMPARE_BETTER, "");
	expect_class(often, none, COMPARE_BETTER, "");
	/* Unknown classes do not differ. */
	expect_class(kernel, unknown, COMPARE_BETTER, "");
	expect_class(thrice, uncounted, COMPARE_BETTER, "");
	expect_class(uncounted, user, COMPARE_CHANGED, "handled by kernel, now by user");
}

/* Exits are compared per event. */
Test(changed, exits_are_of_an_event)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct result_benchmark *row;
	struct compare c;

	class_row(a, HANDLED_KERNEL, 200, 0, 100);
	row = fixture_row(b, "rdpmc_general", "default");
	fixture_boots(b, row, (double[]){ 100, 100, 100, 100 }, 4);
	row->exits.observed = 400;
	c = compared(a, b, &plain);
	cr_expect_eq(c.rows[0].verdict, COMPARE_SAME);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* Worse and inconclusive rows have priority over a changed class. */
Test(changed, is_not_a_regression)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	class_row(a, HANDLED_KERNEL, 200, 0, 100);
	class_row(b, HANDLED_USER, 200, 0, 9000);
	fixture_exact(a, "smc", 100);
	fixture_exact(b, "smc", 90);
	c = compared(a, b, &plain);
	cr_expect_eq(compare_outcome(&c), COMPARE_CHANGED);
	compare_free(&c);
	fixture_exact(a, "hypercall", 100);
	fixture_exact(b, "hypercall", 101);
	c = compared(a, b, &plain);
	cr_expect_eq(compare_outcome(&c), COMPARE_WORSE);
	cr_expect(c.count[COMPARE_WORSE] == 1 && c.count[COMPARE_CHANGED] == 1);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* thresholds */

static struct compare with_threshold(const struct result *base, const struct result *new,
				     const char *text)
{
	struct compare_options o = { .n_thresholds = 1 };
	static struct threshold t;
	struct error bad;

	cr_assert_eq(threshold_parse(&t, text, &bad), 0, "%s", bad.text);
	o.thresholds = &t;
	return compared(base, new, &o);
}

static void expect_let_pass(double new, const char *text, bool want)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 1000);
	fixture_exact(b, "hypercall", new);
	c = with_threshold(a, b, text);
	cr_expect_eq(c.rows[0].verdict, COMPARE_WORSE);
	cr_expect_eq(c.rows[0].let_pass != NULL, want, "%g, %s", new, text);
	cr_expect_eq(c.let_pass[COMPARE_WORSE], (size_t)want);
	cr_expect_eq(compare_outcome(&c), want ? COMPARE_SAME : COMPARE_WORSE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

Test(let_pass, up_to_the_threshold)
{
	expect_let_pass(1010, "1%", true);
	expect_let_pass(1011, "1%", false);
	expect_let_pass(1020, "20insns", true);
	expect_let_pass(1021, "20insns", false);
	expect_let_pass(1001, "0%", false);
	expect_let_pass(1001, "20ticks", false);
	expect_let_pass(1001, "hyper*=1%", true);
	expect_let_pass(1001, "mmio_*=1%", false);
}

/* Thresholds ignore rows that are better or changed. */
Test(let_pass, what_is_worse_alone)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 1000);
	fixture_exact(b, "hypercall", 999);
	class_row(a, HANDLED_KERNEL, 200, 0, 1000);
	class_row(b, HANDLED_USER, 200, 0, 1001);
	c = with_threshold(a, b, "50%");
	cr_expect_eq(c.rows[0].verdict, COMPARE_BETTER);
	cr_expect_eq(c.rows[1].verdict, COMPARE_CHANGED);
	cr_expect(!c.rows[0].let_pass && !c.rows[1].let_pass);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* Ranges: the distance of the nearest ends counts. */
Test(let_pass, ranges)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_boots(a, fixture_row(a, "vm_create", "default"), (double[]){ 900, 1000 },
		      2);
	fixture_boots(b, fixture_row(b, "vm_create", "default"), (double[]){ 1005, 1500 },
		      2);
	c = with_threshold(a, b, "5insns");
	cr_expect(c.rows[0].let_pass && c.rows[0].worst == 5);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

Test(let_pass, patterns_without_a_match_are_refused)
{
	struct result *a = fixture_document(LAB, true);
	struct compare_options o = { .n_thresholds = 1 };
	struct threshold t;
	struct compare c;
	struct error bad;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(a, "of_another_version", 10);
	cr_assert_eq(threshold_parse(&t, "mmoi_*=2%", &bad), 0);
	o.thresholds = &t;
	expect_refused(a, a, &o, "--threshold mmoi_*=2%: no benchmark matches 'mmoi_*'");
	/* A benchmark of the catalogue that was not measured is accepted. */
	cr_assert_eq(threshold_parse(&t, "mmio_*=2%", &bad), 0);
	c = compared(a, a, &o);
	compare_free(&c);
	cr_assert_eq(threshold_parse(&t, "of_*=2%", &bad), 0);
	c = compared(a, a, &o);
	compare_free(&c);
	result_free(a);
}

/* missing figures */

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
	cr_expect_str_eq(c.rows[0].reason, "NEW: not in the document");
	cr_expect_str_eq(c.rows[1].reason, "NEW: fail: the guest crashed");
	cr_expect_eq(c.rows[2].verdict, COMPARE_SAME);
	cr_expect_str_eq(c.rows[3].name, "fresh");
	cr_expect_str_eq(c.rows[3].reason, "BASE: not in the document");
	cr_expect_eq(c.count[COMPARE_NONE], 3);
	cr_expect_eq(c.n_lost, 2);
	cr_expect_eq(compare_outcome(&c), COMPARE_INCONCLUSIVE);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* A row that base does not have cannot get worse. */
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
