/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the explained rows of a comparison. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/why.h"
#include "host/lib/error.h"
#include "host/result/export.h"
#include "host/tests/compare_fixture.h"

static struct result *base, *new;
static struct compare c;
static struct why w;
static char *text;

/* hypercall +229 and cpuid +5 became worse, exit_in -40 better, rdtsc is the same. */
static void begin(void)
{
	base = fixture_document("lab:aarch64-vhe", true);
	new = fixture_document("lab:aarch64-vhe", true);
	fixture_exact(base, "cpuid", 100);
	fixture_exact(new, "cpuid", 105);
	fixture_exact(base, "hypercall", 989);
	fixture_exact(new, "hypercall", 1218);
	fixture_exact(base, "exit_in", 140);
	fixture_exact(new, "exit_in", 100);
	fixture_exact(base, "rdtsc", 3);
	fixture_exact(new, "rdtsc", 3);
}

static void end(void)
{
	free(text);
	why_free(&w);
	compare_free(&c);
	result_free(base);
	result_free(new);
}

TestSuite(why, .init = begin, .fini = end);

static void judge(const struct compare_options *o)
{
	struct error err;

	cr_assert_eq(compare_documents(base, new, o, &c, &err), 0, "%s", err.text);
}

static void expect_rows(const char *want)
{
	char names[128] = "";

	for (size_t i = 0; i < w.n_rows; i++) {
		strcat(names, w.rows[i].row->name);
		strcat(names, " ");
	}
	cr_expect_str_eq(names, want);
}

Test(why, selects_rows_by_their_verdict_largest_first)
{
	judge(&(struct compare_options){ 0 });
	why_select(&c, WHY_WORSE, 8, &w);
	expect_rows("hypercall cpuid ");
	why_free(&w);
	why_select(&c, WHY_ALL, 8, &w);
	expect_rows("hypercall exit_in cpuid ");
	cr_expect_eq(w.n_cut, 0);
	why_free(&w);
	why_select(&c, WHY_ALL, 1, &w);
	expect_rows("hypercall ");
	cr_expect_eq(w.n_cut, 2);
}

Test(why, a_threshold_lets_rows_pass)
{
	struct threshold five;
	struct error err;

	cr_assert_eq(threshold_parse(&five, "20insns", &err), 0);
	judge(&(struct compare_options){ .thresholds = &five, .n_thresholds = 1 });
	why_select(&c, WHY_WORSE, 8, &w);
	expect_rows("hypercall ");
}

Test(why, ticks_and_other_metrics_are_not_instructions)
{
	for (size_t i = 0; i < base->n_benchmarks; i++) {
		base->benchmarks[i].metrics[0].unit = "ticks";
		new->benchmarks[i].metrics[0].unit = "ticks";
	}
	judge(&(struct compare_options){ 0 });
	why_select(&c, WHY_ALL, 8, &w);
	expect_rows("");
}

static struct explanation *read_explanation(const char *name)
{
	struct explanation *e;
	char path[128];
	struct error err;

	snprintf(path, sizeof(path), "host/tests/data/explain/%s.json", name);
	cr_assert_eq(explanation_read(path, &e, &err), 0, "%s", err.text);
	return e;
}

/* hypercall is explained, cpuid cannot be. */
static void explain(void)
{
	judge(&(struct compare_options){ 0 });
	why_select(&c, WHY_WORSE, 8, &w);
	w.rows[0].base = read_explanation("vhe-hypercall-6.1");
	w.rows[0].new = read_explanation("vhe-hypercall-6.12");
	strcpy(w.rows[1].reason, "not explained: a deadline");
}

static void print(void (*to)(FILE *f, const struct why *w))
{
	size_t bytes;
	FILE *f;

	free(text);
	f = open_memstream(&text, &bytes);
	to(f, &w);
	fclose(f);
}

/* Rows with one cause differ by about as much: the limit must not hide the other cause.
 */
Test(why, rows_of_another_size_come_before_rows_alike)
{
	fixture_exact(base, "pio_out_user", 3702);
	fixture_exact(new, "pio_out_user", 3702 + 225);
	fixture_exact(base, "mmio_write_user", 4702);
	fixture_exact(new, "mmio_write_user", 4702 + 215);
	judge(&(struct compare_options){ 0 });
	why_select(&c, WHY_ALL, 2, &w);
	expect_rows("hypercall exit_in ");
	cr_expect_eq(w.n_cut, 3);
	cr_expect_eq(w.rows[0].n_alike, 2);
	cr_expect_eq(w.rows[1].n_alike, 0);
	why_free(&w);
	/* The largest of the others, where the limit leaves room. */
	why_select(&c, WHY_ALL, 4, &w);
	expect_rows("hypercall pio_out_user exit_in cpuid ");
	cr_expect_eq(w.rows[0].n_alike, 1);
	w.rows[0].base = read_explanation("vhe-hypercall-6.1");
	w.rows[0].new = read_explanation("vhe-hypercall-6.12");
	print(why_print);
	cr_expect(strstr(text, "note: 1 more row differs by about as much"), "%s", text);
}

static void expect_order(const char *const *parts, size_t n)
{
	const char *at = text;

	for (size_t i = 0; i < n; i++) {
		const char *found = strstr(at, parts[i]);

		cr_assert(found, "\"%s\" is not after the part before it in:\n%s",
			  parts[i], text);
		at = found + strlen(parts[i]);
	}
}

#define EXPECT_ORDER(...)                                                                \
	expect_order((const char *const[]){ __VA_ARGS__ },                               \
		     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

Test(why, text_has_layers_then_functions_then_what_is_missing)
{
	explain();
	print(why_print);
	EXPECT_ORDER("hypercall: 989 -> 1,218 insns (+229)\n", "layer ", "KVM, arm64 ",
		     "function ", "vcpu_read_sys_reg ", "was kvm_hvc_call_handler",
		     "total ", "989", "1,218", "+229", "cpuid: 100 -> 105 insns (+5)",
		     "note: not explained: a deadline");
	cr_expect_null(strstr(text, "the document has"), "%s", text);
	cr_expect_null(strstr(text, "--explain-rows"), "%s", text);
}

Test(why, a_total_that_is_not_the_figure_is_named)
{
	explain();
	w.rows[0].new->total = 1219;
	w.n_cut = 3;
	print(why_print);
	EXPECT_ORDER(
		"note: new: the explained event has 1,219 insns, the figure is 1,218",
		"2 of 5 rows are explained", "--explain-rows");
	cr_expect_null(strstr(text, "base: the explained event"), "%s", text);
}

/* Boots of an exact target that differ: the explained one is one of them. */
Test(why, a_figure_within_the_range_over_the_boots_is_that_of_the_document)
{
	struct compare_side side = { .value = 105, .min = 100, .max = 110 };
	struct explanation e = { .round_trip = 100 };

	cr_expect(why_is_figure(&e, &side));
	e.round_trip = 111;
	cr_expect_not(why_is_figure(&e, &side));
	side.min = side.max = NAN;
	e.round_trip = 105;
	cr_expect(why_is_figure(&e, &side));
}

Test(why, markdown_is_folded)
{
	explain();
	print(why_print_markdown);
	cr_expect_eq(
		strncmp(text, "\n<details><summary>Why: the functions behind 2 rows",
			strlen("\n<details><summary>Why: the functions behind 2 rows")),
		0, "%s", text);
	EXPECT_ORDER("#### hypercall", "| layer | base | now | change |",
		     "| function | base | now | change |", "#### cpuid",
		     "> not explained: a deadline", "</details>\n");
	strcpy(w.refusal, "not explained: base: no kernel <here>");
	print(why_print_markdown);
	cr_expect_str_eq(text, "\n> not explained: base: no kernel &lt;here>\n");
}

Test(why, json_has_every_function_and_its_sums)
{
	struct json_list *l = json_list_new();
	json_error_t error;
	json_t *root, *row;
	json_int_t sum = 0;
	size_t i;

	explain();
	why_json(l, &w);
	text = json_list_dump(l);
	json_list_free(l);
	root = json_loads(text, 0, &error);
	cr_assert(root, "%s", error.text);
	cr_expect_eq(json_integer_value(
			     json_object_get(json_object_get(root, "explained"), "rows")),
		     2);
	row = json_array_get(json_object_get(root, "explanations"), 0);
	cr_expect(json_is_null(json_object_get(row, "reason")));
	row = json_array_get(json_object_get(root, "explanations"), 1);
	cr_expect_str_eq(json_string_value(json_object_get(row, "reason")),
			 "not explained: a deadline");
	json_array_foreach(json_object_get(root, "explained_functions"), i, row) sum +=
		json_integer_value(json_object_get(row, "difference"));
	cr_expect_eq(sum, 229);
	sum = 0;
	json_array_foreach(json_object_get(root, "explained_layers"), i, row) sum +=
		json_integer_value(json_object_get(row, "difference"));
	cr_expect_eq(sum, 229);
	json_decref(root);
}
