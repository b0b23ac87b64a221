/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The changes that the report shows: documents of one target, configs of one document,
 * and the runs of a history.
 */
#include "host/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare.h"
#include "host/history/history.h"
#include "host/lib/error.h"
#include "host/lib/html.h"
#include "host/lib/text.h"
#include "host/lib/table.h"
#include "host/report/rows.h"
#include "host/result/result.h"

/* ------------------------------ comparisons ------------------------------ */

static void add(struct report *r, const struct result *base, const struct result *new,
		const char *from, const char *to)
{
	struct report_change change = { base, new, { from, to }, NULL, NULL };
	struct compare_options options = { .config = { from, to } };
	struct error err;

	change.compare = malloc(sizeof(*change.compare));
	if (!change.compare)
		abort();
	if (compare_documents(base, new, &options, change.compare, &err)) {
		free(change.compare);
		change.compare = NULL;
		compare_drop_hint(err.text);
		change.why = strdup(err.text);
	}
	r->changes = reallocarray(r->changes, r->n_changes + 1, sizeof(*r->changes));
	if (!r->changes || (!change.compare && !change.why))
		abort();
	r->changes[r->n_changes++] = change;
}

/* The first document of a target is the base of the others. */
static const struct result *base_of(const struct report *r, size_t d)
{
	for (size_t k = 0; k < d; k++)
		if (!strcmp(r->in.docs[k]->target.name, r->in.docs[d]->target.name))
			return r->in.docs[k];
	return NULL;
}

static void add_configs(struct report *r, const struct result *doc)
{
	static const char *const all[] = { NULL, NULL };
	struct configs c;

	configs_collect(&c, doc, all);
	for (size_t i = 1; i < c.n; i++)
		add(r, doc, doc, c.names[0], c.names[i]);
	configs_free(&c);
}

void report_compare(struct report *r)
{
	for (size_t d = 0; d < r->in.n_docs; d++) {
		const struct result *base = base_of(r, d);

		if (base)
			add(r, base, r->in.docs[d], NULL, NULL);
	}
	for (size_t d = 0; d < r->in.n_docs; d++)
		add_configs(r, r->in.docs[d]);
}

void report_compare_free(struct report *r)
{
	for (size_t i = 0; i < r->n_changes; i++) {
		if (r->changes[i].compare)
			compare_free(r->changes[i].compare);
		free(r->changes[i].compare);
		free(r->changes[i].why);
	}
	free(r->changes);
}

static const char *const marks[COMPARE_VERDICTS] = {
	[COMPARE_WORSE] = "\u25b2",	   /* up */
	[COMPARE_BETTER] = "\u25bc",	   /* down */
	[COMPARE_CHANGED] = "\u25c6",	   /* diamond */
	[COMPARE_INCONCLUSIVE] = "\u25cb", /* open */
	[COMPARE_NONE] = "\u2013",	   /* dash */
	[COMPARE_SAME_PLACEMENT] = "=",	   [COMPARE_SAME] = "=",
};

static void fill_figure(struct table *t, size_t column, const struct compare_row *row,
			const struct compare_side *side)
{
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	if (row->level != 1 || side->min == side->max) {
		table_number(t, column, side->value, row->exact, false);
		return;
	}
	number_format(lo, side->min, true);
	number_format(hi, side->max, true);
	table_cell(t, column, "%s to %s", lo, hi);
	table_cell_value(t, column, side->value);
}

static void add_row(struct table *t, const struct compare_row *row, bool name_config)
{
	const char *word = compare_verdict_name(row->verdict);

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", row->name);
	if (name_config && row->new.config &&strcmp(row->new.config, "default") != 0)
		table_cell(t, 1, "[%s]", row->new.config);
	table_cell(t, 2, "%s %s", marks[row->verdict], word);
	if (row->verdict == COMPARE_WORSE)
		table_cell_color(t, 2, TABLE_RED);
	else if (row->verdict == COMPARE_BETTER)
		table_cell_color(t, 2, TABLE_GREEN);
	table_number(t, 3, row->difference, row->level == 1, true);
	if (!isnan(row->ratio)) {
		table_cell(t, 4, "%.4g", row->ratio);
		table_cell_value(t, 4, row->ratio);
	}
	fill_figure(t, 5, row, &row->base);
	fill_figure(t, 6, row, &row->new);
	if (isnan(row->shift) || row->level == 1)
		return;
	if (isnan(row->lo) || isnan(row->hi))
		table_cell(t, 7, "%+.6g", row->shift);
	else
		table_cell(t, 7, "%+.6g (%+.6g to %+.6g)", row->shift, row->lo, row->hi);
	table_cell_value(t, 7, row->shift);
}

void report_outcome(FILE *f, const struct compare *c)
{
	static const enum compare_verdict order[COMPARE_VERDICTS] = {
		COMPARE_WORSE,	      COMPARE_BETTER, COMPARE_CHANGED,
		COMPARE_INCONCLUSIVE, COMPARE_SAME,   COMPARE_SAME_PLACEMENT,
		COMPARE_NONE,
	};
	bool first = true;

	for (size_t i = 0; i < COMPARE_VERDICTS; i++) {
		const char *word = compare_verdict_name(order[i]);

		if (!c->count[order[i]])
			continue;
		/* The class in the style sheet is the first word of the verdict. */
		fprintf(f, "%s<span class=\"%.*s\">%s %zu %s</span>", first ? "" : ", ",
			(int)strcspn(word, " "), word, marks[order[i]],
			c->count[order[i]],
			order[i] == COMPARE_NONE ? "not comparable" : word);
		first = false;
	}
	if (c->n_lost)
		html_format(f, "; %zu had a figure before and have none now", c->n_lost);
}

static bool is_same(enum compare_verdict v)
{
	return v == COMPARE_SAME || v == COMPARE_SAME_PLACEMENT;
}

static size_t count_same(const struct compare *c)
{
	return c->count[COMPARE_SAME] + c->count[COMPARE_SAME_PLACEMENT];
}

/* Rows that did not change are only named. */
static void print_same(FILE *f, const struct compare *c)
{
	bool first = true;

	if (!count_same(c))
		return;
	fprintf(f, "<details><summary>%zu the same</summary><p>", count_same(c));
	for (size_t i = 0; i < c->n_rows; i++) {
		if (!is_same(c->rows[i].verdict))
			continue;
		html_format(f, "%s%s", first ? "" : ", ", c->rows[i].name);
		first = false;
	}
	fputs("</p></details>\n", f);
}

static void print_reasons(FILE *f, const struct compare *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		n += *c->rows[i].reason != '\0';
	if (!n)
		return;
	fprintf(f, "<details><summary>Remarks on %zu of them</summary><ul>\n", n);
	for (size_t i = 0; i < c->n_rows; i++)
		if (*c->rows[i].reason)
			html_tag(f, "li", "%s: %s", c->rows[i].name, c->rows[i].reason);
	fputs("</ul></details>\n", f);
}

/* `all`: also the rows that are the same. */
static void print_rows(FILE *f, const struct compare *c, const char *base,
		       const char *new, bool all)
{
	char difference[64];
	const struct table_column columns[] = {
		{ "benchmark", TABLE_KEY, 0, NULL },
		{ "", TABLE_JOIN, 0, NULL },
		{ "verdict", TABLE_VERDICT, 0, NULL },
		{ difference, TABLE_RIGHT, 0, NULL },
		{ "ratio", TABLE_RIGHT, 0, NULL },
		{ base, TABLE_RIGHT, 0, NULL },
		{ new, TABLE_RIGHT, 0, NULL },
		{ "shift, 95 % interval", TABLE_RIGHT, 0, NULL },
	};
	struct table t;

	snprintf(difference, sizeof(difference), "difference\n%.40s", c->new->clock.unit);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++) {
		if (v == COMPARE_NONE || (is_same(v) && !all))
			continue;
		for (size_t i = 0; i < c->n_rows; i++)
			if (c->rows[i].verdict == v)
				add_row(&t, &c->rows[i], c->base != c->new);
	}
	if (t.n_rows)
		table_html(f, &t);
	table_free(&t);
}

static void print_change(FILE *f, const struct report_change *change, const char *base,
			 const char *new, bool all)
{
	const struct compare *c = change->compare;

	if (!c) {
		html_tag(f, "p", "These cannot be compared: %s.", change->why);
		return;
	}
	fputs("<p>", f);
	report_outcome(f, c);
	fputs(".</p>\n", f);
	print_rows(f, c, base, new, all);
	if (!all)
		print_same(f, c);
	print_reasons(f, c);
}

static void mark_of(const struct report *r, const struct result *doc,
		    char mark[ROWS_MARK_BYTES])
{
	for (size_t d = 0; d < r->in.n_docs; d++)
		if (r->in.docs[d] == doc)
			rows_mark(r->in.docs, r->in.n_docs, d, mark);
}

static void print_documents(FILE *f, const struct report *r,
			    const struct report_change *change)
{
	char base[ROWS_MARK_BYTES] = "base", new[ROWS_MARK_BYTES] = "new";
	char *was = plot_subject(&r->in, change->base);
	char *is = plot_subject(&r->in, change->new);

	html_tag(f, "h3", "%s", change->new->target.name);
	html_tag(f, "p", "From %s; to %s.", was, is);
	free(was);
	free(is);
	mark_of(r, change->base, base);
	mark_of(r, change->new, new);
	print_change(f, change, base, new, false);
}

bool report_changes(FILE *f, const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n_changes; i++) {
		if (r->changes[i].config[0])
			continue;
		print_documents(f, r, &r->changes[i]);
		any = true;
	}
	return any;
}

bool report_configs(FILE *f, const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n_changes; i++) {
		const struct report_change *change = &r->changes[i];
		const char *base = change->config[0], *new = change->config[1];

		if (!base)
			continue;
		fputs("<h3>", f);
		report_label(f, r, change->base);
		html_format(f, ": %s against %s", new, base);
		fputs("</h3>\n", f);
		html_tag(f, "p", "%s: %s. %s: %s.", base, configs_summary(base), new,
			 configs_summary(new));
		print_change(f, change, base, new, true);
		any = true;
	}
	return any;
}

/* ------------------------------ the history ------------------------------ */

static void fill_run(struct table *t, size_t column, const struct history_run *run)
{
	char *text;

	if (asprintf(&text, "%s%s%s%s%s%.12s", run->kernel ? run->kernel : "no kernel",
		     run->label ? " (" : "", run->label ? run->label : "",
		     run->label ? ")" : "", run->commit ? " " : "",
		     run->commit ? run->commit : "") < 0)
		abort();
	table_cell(t, column, "%s", text);
	table_cell(t, column + 1, "%s", run->time);
	free(text);
}

static void add_change(struct table *t, const struct history *h,
		       const struct history_series *s, size_t k)
{
	static const enum table_color colors[] = {
		[HISTORY_WORSE] = TABLE_RED,
		[HISTORY_BETTER] = TABLE_GREEN,
		[HISTORY_CHANGED] = TABLE_PLAIN,
	};
	static const enum compare_verdict verdicts[] = {
		[HISTORY_WORSE] = COMPARE_WORSE,
		[HISTORY_BETTER] = COMPARE_BETTER,
		[HISTORY_CHANGED] = COMPARE_CHANGED,
	};
	const struct changepoint *c = &s->changes[k];
	enum history_kind kind = history_kind(s, k);
	bool exact = h->places[s->place].exact;

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", s->benchmark);
	table_cell(t, 1, "[%s]", s->config);
	table_cell(t, 2, "%s %s", marks[verdicts[kind]], history_kind_name(kind));
	table_cell_color(t, 2, colors[kind]);
	table_number(t, 3, c->before, exact, false);
	table_number(t, 4, c->after, exact, false);
	table_cell(t, 5, "%s", s->unit);
	if (c->before > 0) {
		table_cell(t, 6, "%.5g", c->after / c->before);
		table_cell_value(t, 6, c->after / c->before);
	}
	fill_run(t, 7, history_new_run(h, s, k));
	fill_run(t, 9, history_old_run(h, s, k));
}

static void print_place(FILE *f, const struct history *h, size_t place)
{
	static const struct table_column columns[] = {
		{ "benchmark", TABLE_KEY, 0, NULL },   { "", TABLE_JOIN, 0, NULL },
		{ "verdict", TABLE_VERDICT, 0, NULL }, { "before", TABLE_RIGHT, 0, NULL },
		{ "after", TABLE_RIGHT, 0, NULL },     { "unit", 0, 0, NULL },
		{ "ratio", TABLE_RIGHT, 0, NULL },     { "with run", 0, 0, NULL },
		{ "", TABLE_JOIN, 0, NULL },	       { "after run", 0, 0, NULL },
		{ "", TABLE_JOIN, 0, NULL },
	};
	const struct history_place *p = &h->places[place];
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < h->n_series; i++)
		for (size_t k = 0;
		     h->series[i].place == place && k < h->series[i].n_changes; k++)
			add_change(&t, h, &h->series[i], k);
	html_tag(f, "h3", "%s", p->target);
	html_tag(f, "p", "%zu runs%s%s; %zu changes.", p->n_runs, p->what ? ", " : "",
		 p->what ? p->what : "", t.n_rows);
	if (t.n_rows)
		table_html(f, &t);
	table_free(&t);
}

bool report_history(FILE *f, const struct report *r)
{
	const struct history *h = r->in.history;

	for (size_t place = 0; h && place < h->n_places; place++)
		print_place(f, h, place);
	return h && h->n_places;
}
