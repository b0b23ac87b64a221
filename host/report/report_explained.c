/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The explanations of the report: flame graphs and functions, and the difference where a
 * benchmark has several explanations.
 */
#include "host/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explain_text.h"
#include "host/explain/explanation.h"
#include "host/explain/pair.h"
#include "host/explain/touch.h"
#include "host/lib/html.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

/* Of each table; the others are in the document and in the picture. */
#define FUNCTIONS_MOST 20
/* Of a line of the table of contents. */
#define NAMED_MOST     3

static bool is_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Instructions of two architectures, or of two vendors' exits, have no difference. */
static bool is_comparable(const struct explanation *a, const struct explanation *b)
{
	return !strcmp(a->benchmark, b->benchmark) &&
	       is_equal(a->machine.arch, b->machine.arch) &&
	       (!is_equal(a->machine.arch, "x86_64") ||
		is_equal(a->target.hypervisor, b->target.hypervisor));
}

/*
 * The first explanation of the benchmark under the same config on the same target; else
 * under any config on that target; else on a target whose instructions compare.
 */
static const struct explanation *base_of(const struct report *r, size_t i)
{
	const struct explanation *e = r->explanations[i], *base = NULL;
	int best = 0;

	for (size_t k = 0; k < i; k++) {
		const struct explanation *b = r->explanations[k];
		int fit = 1;

		if (!is_comparable(b, e))
			continue;
		if (!strcmp(b->target.name, e->target.name))
			fit += 1 + is_equal(b->config, e->config);
		if (fit > best) {
			best = fit;
			base = b;
		}
	}
	return base;
}

/* "hypercall [pmu-off] on lab:aarch64-vhe, Linux 6.1.0"; free() it. */
static char *title_of(const struct explanation *e)
{
	bool plain = !strcmp(e->config, "default");
	char *text;

	if (asprintf(&text, "%s%s%s%s on %s, %s%s", e->benchmark, plain ? "" : " [",
		     plain ? "" : e->config, plain ? "" : "]", e->target.name,
		     e->subject.kernel ? "Linux " : "",
		     e->subject.kernel ? e->subject.kernel : "a kernel without a name") <
	    0)
		abort();
	return text;
}

/* "hypercall on lab:aarch64-vhe, Linux 6.1 to 7.3"; what is equal is named once. */
static char *title_of_both(const struct explanation *base, const struct explanation *e)
{
	char *was = title_of(base), *is = title_of(e), *text;
	bool one = !strcmp(base->target.name, e->target.name) &&
		   is_equal(base->config, e->config);
	int ret;

	if (one && base->subject.kernel && e->subject.kernel &&
	    strcmp(base->subject.kernel, e->subject.kernel) != 0)
		ret = asprintf(&text, "%s to %s", was, e->subject.kernel);
	else
		ret = asprintf(&text, "%s, to %s", was, is);
	if (ret < 0)
		abort();
	free(was);
	free(is);
	return text;
}

static void signed_number(char text[NUMBER_BYTES + 1], long long change)
{
	char number[NUMBER_BYTES];

	number_format(number, (double)change, true);
	snprintf(text, NUMBER_BYTES + 1, "%s%s", change > 0 ? "+" : "", number);
}

static void print_change(FILE *f, const struct explanation *base,
			 const struct explanation *e)
{
	long long change = (long long)e->total - (long long)base->total;
	char text[NUMBER_BYTES + 1];

	signed_number(text, change);
	if (change)
		html_tag(f, change > 0 ? "span class=worse" : "span class=better",
			 "%s %s instructions", change > 0 ? "\u25b2" : "\u25bc", text);
	else
		fputs("no difference in the sum", f);
}

static void print_functions(FILE *f, const struct explanation *e)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL },
		{ "layer", 0, 0, NULL },
		{ "instructions", TABLE_RIGHT, 0, NULL },
	};
	uint64_t rest = 0;
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < e->n_functions; i++) {
		const struct explanation_function *fn = &e->functions[i];

		if (i >= FUNCTIONS_MOST) {
			rest += fn->insns;
			continue;
		}
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", fn->name);
		table_cell(&t, 1, "%s", fn->layer);
		table_number(&t, 2, (double)fn->insns, true, false);
	}
	if (rest) {
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%zu more", e->n_functions - FUNCTIONS_MOST);
		table_number(&t, 2, (double)rest, true, false);
	}
	table_html(f, &t);
	table_free(&t);
}

static void print_touch(FILE *f, const struct explanation *e)
{
	struct table tables[TOUCH_TABLES];
	size_t n = touch_tables(e, tables);
	char *heading = touch_heading(e);

	html_tag(f, "p", "%s", heading);
	free(heading);
	fputs("<div class=touch>", f);
	for (size_t i = 0; i < n; i++) {
		table_html(f, &tables[i]);
		table_free(&tables[i]);
	}
	fputs("</div>\n", f);
	if (e->touch.n_curve)
		html_tag(f, "p class=soft", "%s", touch_curve_note);
}

static void print_explanation(FILE *f, const struct explanation *e)
{
	fputs("<figure>", f);
	flame_draw(f, e, NULL);
	fputs("</figure>\n", f);
	print_functions(f, e);
	if (touch_is_in(e))
		print_touch(f, e);
}

static void print_difference(FILE *f, const struct explanation *base,
			     const struct explanation *e)
{
	struct table layers, functions;

	fputs("<p>", f);
	print_change(f, base, e);
	fputs(", by layer and by function.</p>\n<figure>", f);
	flame_draw(f, e, base);
	fputs("</figure>\n<div class=pair>", f);
	explain_diff_layers(&layers, base, e);
	table_html(f, &layers);
	table_free(&layers);
	explain_diff_functions(&functions, base, e, FUNCTIONS_MOST);
	table_html(f, &functions);
	table_free(&functions);
	fputs("</div>\n", f);
}

/* A benchmark with a difference shows the explanations themselves folded. */
static bool has_difference(const struct report *r, size_t i)
{
	for (size_t k = 0; k < r->n_explanations; k++) {
		const struct explanation *base = base_of(r, k);

		if (base && (k == i || base == r->explanations[i]))
			return true;
	}
	return false;
}

static void print_differences(FILE *f, const struct report *r)
{
	for (size_t i = 0; i < r->n_explanations; i++) {
		const struct explanation *base = base_of(r, i);
		char *title;

		if (!base)
			continue;
		title = title_of_both(base, r->explanations[i]);
		fprintf(f, "<h3 id=\"difference-%zu\">", i);
		html_text(f, title);
		fputs("</h3>\n", f);
		print_difference(f, base, r->explanations[i]);
		free(title);
	}
}

/* "hypercall +229: vcpu_read_sys_reg +42, memset +30, ..." */
static void print_found(FILE *f, const struct explanation *base,
			const struct explanation *e, size_t number)
{
	struct explain_change *changes;
	size_t n = explain_changes(base, e, &changes), named = 0;
	char *title = title_of_both(base, e), text[NUMBER_BYTES + 1];

	fprintf(f, "<li><a href=\"#difference-%zu\">", number);
	print_change(f, base, e);
	fputs("</a>", f);
	html_format(f, " in %s", title);
	free(title);
	for (size_t i = 0; i < n && named < NAMED_MOST && changes[i].change; i++) {
		signed_number(text, changes[i].change);
		html_format(f, "%s%s %s", named++ ? ", " : ": ", changes[i].name, text);
	}
	fputs("</li>\n", f);
	explain_changes_free(changes, n);
}

void report_found_explanations(FILE *f, const struct report *r)
{
	for (size_t i = 0; i < r->n_explanations; i++) {
		const struct explanation *base = base_of(r, i);

		if (base)
			print_found(f, base, r->explanations[i], i);
	}
}

bool report_explanations(FILE *f, const struct report *r)
{
	if (!r->n_explanations)
		return false;
	fputs("<p>The functions that the instructions of one event are in. A box is as "
	      "wide as the instructions of a function and of its callees, above the box of its "
	      "caller; siblings are ordered by width. In a difference, red and + mean more "
	      "instructions of the function's own, blue and - fewer.</p>\n",
	      f);
	print_differences(f, r);
	for (size_t i = 0; i < r->n_explanations; i++) {
		char *title = title_of(r->explanations[i]);
		bool folded = has_difference(r, i);

		if (folded)
			fputs("<details>", f);
		html_tag(f, folded ? "summary" : "h3", "%s", title);
		print_explanation(f, r->explanations[i]);
		if (folded)
			fputs("</details>\n", f);
		free(title);
	}
	return true;
}
