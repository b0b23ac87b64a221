/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several documents against one base: a group of columns for each document. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare.h"
#include "host/compare/compare_rules.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

#define HEAD_BYTES 40

enum part { PART_VALUE, PART_PERCENT, PART_VERDICT, PARTS };

/* Benchmark and base are repeated in every part of a split table. */
#define FIRST_COLUMN 2

/* "6.12.117" of "6.12.117+deb12-cloud-amd64" */
static void short_kernel(const struct result *r, char head[HEAD_BYTES])
{
	const char *kernel = r->subject.kernel ? r->subject.kernel : "?";
	const char *flavour = strstr(kernel, "-cloud");
	size_t n = strcspn(kernel, "+~");

	/* 6.1.0-56-cloud-amd64 needs its number. */
	if (flavour && (size_t)(flavour - kernel) < n)
		n = (size_t)(flavour - kernel);
	snprintf(head, HEAD_BYTES, "%.*s", (int)n, kernel);
}

static bool are_different(size_t n, char (*heads)[HEAD_BYTES])
{
	for (size_t i = 0; i < n; i++) {
		text_clean(heads[i], HEAD_BYTES);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(heads[k], heads[i]))
				return false;
	}
	return true;
}

/* What tells the documents apart: labels, else kernels, else numbers. */
static void make_heads(const struct compare *c, size_t n, char (*heads)[HEAD_BYTES])
{
	bool labels = true;

	for (size_t i = 0; i < n; i++) {
		const char *label = c[i].new->subject.label;

		labels &= label && *label;
		snprintf(heads[i], HEAD_BYTES, "%.*s",
			 text_prefix(label ? label : "", 24), label ? label : "");
	}
	if (labels && are_different(n, heads))
		return;
	for (size_t i = 0; i < n; i++)
		short_kernel(c[i].new, heads[i]);
	if (are_different(n, heads))
		return;
	for (size_t i = 0; i < n; i++)
		snprintf(heads[i], HEAD_BYTES, "new %zu", i + 1);
}

static bool is_one_row(const struct compare_row *a, const struct compare_row *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->metric, b->metric) &&
	       !strcmp(a->base.config, b->base.config) &&
	       !strcmp(a->new.config, b->new.config);
}

static const struct compare_row *find(const struct compare *c,
				      const struct compare_row *row)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (is_one_row(&c->rows[i], row))
			return &c->rows[i];
	return NULL;
}

static bool is_same(const struct compare_row *row)
{
	return !row || row->verdict == COMPARE_SAME ||
	       row->verdict == COMPARE_SAME_PLACEMENT;
}

static void fill_document(struct table *t, size_t column, const struct compare *c,
			  const struct compare_row *row, const struct table_options *o)
{
	static const enum table_color colors[COMPARE_VERDICTS] = {
		[COMPARE_WORSE] = TABLE_RED,
		[COMPARE_BETTER] = TABLE_GREEN,
		[COMPARE_CHANGED] = TABLE_YELLOW,
		[COMPARE_INCONCLUSIVE] = TABLE_YELLOW,
		[COMPARE_WORSE_MAYBE] = TABLE_YELLOW,
		[COMPARE_BETTER_MAYBE] = TABLE_YELLOW,
		[COMPARE_NONE] = TABLE_DIM,
	};
	bool exact = c->base->target.exact && c->new->target.exact;
	char note[32] = "";
	double ratio;

	if (!row) {
		table_cell(t, column + PART_VERDICT, "-");
		return;
	}
	ratio = row->level == 1 ? row->ratio : row->shift_ratio;
	if (row->new.metric)
		table_number(t, column + PART_VALUE, row->new.value, exact, false);
	if (!isnan(ratio)) {
		char percent[NUMBER_BYTES];

		percent_format(percent, 100 * (ratio - 1), 1);
		table_cell(t, column + PART_PERCENT, "%s", percent);
	}
	if (*row->reason)
		snprintf(note, sizeof(note), " [%zu]", table_note(t, row->reason));
	table_cell(t, column + PART_VERDICT, "%s%s%s%s",
		   compare_verdict_sign(row->verdict, o),
		   row->verdict == COMPARE_NONE ? "not compared"
		   : row->verdict == COMPARE_SAME_PLACEMENT
			   ? "same"
			   : compare_verdict_name(row->verdict),
		   row->let_pass ? ", passes" : "", note);
	for (size_t p = 0; !row->let_pass && p < PARTS; p++)
		table_cell_color(t, column + p, colors[row->verdict]);
}

static void fill_row(struct table *t, const struct compare *c, size_t n,
		     const struct compare_row *row, const struct table_options *o)
{
	const struct compare_side *base = &row->base;
	bool config = strcmp(base->config, "default") != 0,
	     metric = strcmp(row->metric, "round_trip") != 0;

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s%s%s%s%s%s", row->name, config ? " [" : "",
		   config ? base->config : "", config ? "]" : "", metric ? " " : "",
		   metric ? row->metric : "");
	if (base->metric)
		table_number(t, 1, base->value, c->base->target.exact, false);
	else
		table_cell(t, 1, "%s",
			   base->benchmark ? result_status_name(base->benchmark->status)
					   : "-");
	for (size_t i = 0; i < n; i++)
		fill_document(t, FIRST_COLUMN + PARTS * i, &c[i], find(&c[i], row), o);
}

/* Every row once, in the order of the first document that has it. */
static void fill(struct table *t, const struct compare *c, size_t n, bool all,
		 const struct table_options *o)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i].n_rows; k++) {
			const struct compare_row *row = &c[i].rows[k];
			bool seen = false, differs = all;

			for (size_t j = 0; j < i; j++)
				seen |= find(&c[j], row) != NULL;
			for (size_t j = i; j < n; j++)
				differs |= !is_same(find(&c[j], row));
			if (!seen && differs)
				fill_row(t, c, n, row, o);
		}
}

static void add_columns(struct table *t, size_t n, char (*heads)[HEAD_BYTES])
{
	static const struct table_column first[FIRST_COLUMN] = {
		{ "benchmark", TABLE_KEY, 0, NULL },
		{ "base", TABLE_RIGHT | TABLE_KEY, 0, NULL },
	};

	table_init(t, first, FIRST_COLUMN);
	for (size_t i = 0; i < n; i++) {
		table_column(t, &(struct table_column){ heads[i], TABLE_RIGHT, 0, NULL });
		table_column(t, &(struct table_column){ "", TABLE_RIGHT | TABLE_KEEP, 0,
							NULL });
		table_column(t, &(struct table_column){ "", TABLE_KEEP, 0, NULL });
	}
}

/* A line of text, or of a list in Markdown. */
static void print_line(FILE *f, const char *text, const struct table_options *o)
{
	if (o) {
		text_wrap(f, text, 0, 2, table_text_columns(o));
		return;
	}
	fputs("- ", f);
	table_markdown_text(f, text);
	fputc('\n', f);
}

static void print_document(FILE *f, const char *head, const char *name,
			   const struct result *r, const struct compare *c,
			   const struct table_options *o)
{
	char *text = NULL;
	size_t bytes;
	FILE *line = open_memstream(&text, &bytes);

	if (!line)
		abort();
	fprintf(line, "%s: %s, %s%s%s", head, name, r->target.name,
		r->subject.kernel ? ", Linux " : "",
		r->subject.kernel ? r->subject.kernel : "");
	if (c) {
		fputs(": ", line);
		compare_print_summary(line, c);
	}
	if (fclose(line))
		abort();
	text = text_cleaned_own(text);
	print_line(f, text, o);
	free(text);
}

static void print_remarks(FILE *f, const struct compare *c, size_t n,
			  char (*heads)[HEAD_BYTES], const struct table_options *o)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i].n_notes; k++) {
			char *text;

			if (asprintf(&text, "%s: %s", heads[i], c[i].notes[k]) < 0)
				abort();
			print_line(f, text, o);
			free(text);
		}
}

void compare_print_columns(FILE *f, const struct compare *c, size_t n,
			   const char *const *names, bool all, bool markdown)
{
	char(*heads)[HEAD_BYTES] = calloc(n, sizeof(*heads));
	struct table_options text = { 0 };
	const struct table_options *o = markdown ? NULL : &text;
	struct table t;

	if (!heads)
		abort();
	table_options_for(&text, f);
	make_heads(c, n, heads);
	add_columns(&t, n, heads);
	fill(&t, c, n, all, o);
	print_document(f, "base", names[0], c->base, NULL, o);
	for (size_t i = 0; i < n; i++)
		print_document(f, heads[i], names[i + 1], c[i].new, &c[i], o);
	fputc('\n', f);
	if (!t.n_rows)
		print_line(f, all ? "no rows" : "no differences; --all shows the rows",
			   o);
	else if (o)
		table_print(f, &t, o);
	else
		table_markdown(f, &t, 0, t.n_rows);
	if (t.n_notes)
		fputc('\n', f);
	if (o)
		table_print_notes(f, &t, o);
	else
		table_markdown_notes(f, &t);
	fputc('\n', f);
	print_line(
		f,
		"Each document is judged against the base alone, as in a comparison of "
		"two documents, which also prints intervals and ranges.",
		o);
	print_remarks(f, c, n, heads, o);
	table_free(&t);
	free(heads);
}
