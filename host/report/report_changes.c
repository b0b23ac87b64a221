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
#include "host/report/run_table.h"
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
	[COMPARE_WORSE_MAYBE] = "\u25b3",  /* up, open */
	[COMPARE_BETTER_MAYBE] = "\u25bd", /* down, open */
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
		/* As compare prints it: the decimal points are below each other. */
		table_cell(t, 4, row->ratio < 1000 ? "%.4f" : "%.4g", row->ratio);
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
		COMPARE_WORSE,	     COMPARE_BETTER,	     COMPARE_CHANGED,
		COMPARE_WORSE_MAYBE, COMPARE_BETTER_MAYBE,   COMPARE_INCONCLUSIVE,
		COMPARE_SAME,	     COMPARE_SAME_PLACEMENT, COMPARE_NONE,
	};
	bool first = true;

	for (size_t i = 0; i < COMPARE_VERDICTS; i++) {
		const char *word = compare_verdict_name(order[i]);

		if (!c->count[order[i]])
			continue;
		/* The class in the style sheet is the first word of the verdict. */
		fprintf(f, "%s<span class=\"%.*s\">%s %zu %s</span>", first ? "" : ", ",
			(int)strcspn(word, " ?"), word, marks[order[i]],
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

	fprintf(f, "<h3 id=\"change-%zu\">", (size_t)(change - r->changes));
	html_format(f, "%s", change->new->target.name);
	fputs("</h3>\n", f);
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
		fprintf(f, "<h3 id=\"change-%zu\">", i);
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

/* A step is what `history check` prints for it, folded. */
static void print_step(FILE *f, const struct history *h, const struct history_query *q,
		       const struct history_alarm *alarms, size_t n)
{
	char *title = NULL;
	size_t bytes;
	FILE *text = open_memstream(&title, &bytes);
	struct table t;

	if (!text)
		abort();
	history_step_title(text, h, alarms, n);
	if (fclose(text))
		abort();
	fputs("<details>", f);
	html_tag(f, "summary", "%s", title);
	history_step_table(&t, q, alarms, n);
	table_html(f, &t);
	table_free(&t);
	fputs("</details>\n", f);
	free(title);
}

/* The alarms [*from, end) of a place. Returns whether there are any. */
static bool place_alarms(const struct history_alarm *alarms, size_t n, size_t place,
			 size_t *from, size_t *end)
{
	for (*from = 0; *from < n && alarms[*from].series->place != place;)
		++*from;
	for (*end = *from; *end < n && alarms[*end].series->place == place;)
		++*end;
	return *end > *from;
}

static size_t count_steps(const struct history *h, const struct history_alarm *alarms,
			  size_t n)
{
	size_t steps = 0;

	for (size_t i = 0; i < n; i = history_step_end(h, alarms, n, i))
		steps++;
	return steps;
}

bool report_history(FILE *f, const struct report *r)
{
	const struct history_query q = { .all = false };
	const struct history *h = r->in.history;
	struct history_alarm *alarms;
	size_t n;

	if (!h || !h->n_places)
		return false;
	alarms = history_alarms(&q, h, &n);
	for (size_t place = 0; place < h->n_places; place++) {
		const struct history_place *p = &h->places[place];
		size_t from, end;

		fprintf(f, "<h3 id=\"place-%zu\">", place);
		html_text(f, p->target);
		fputs("</h3>\n", f);
		place_alarms(alarms, n, place, &from, &end);
		html_tag(f, "p", "%zu runs%s%s; %zu changes in %zu steps.", p->n_runs,
			 p->what ? ", " : "", p->what ? p->what : "", end - from,
			 count_steps(h, alarms + from, end - from));
		for (size_t i = from, next; i < end; i = next) {
			next = history_step_end(h, alarms, end, i);
			print_step(f, h, &q, &alarms[i], next - i);
		}
	}
	free(alarms);
	return true;
}

/* ------------------------------ what was found ------------------------------ */

/* Of a line of the table of contents. */
#define NAMED_MOST 3

static double distance(const struct compare_row *row)
{
	return row->ratio > 0 && isfinite(row->ratio) ? fabs(log(row->ratio)) : INFINITY;
}

/* The next row of a verdict after `last`, by the size of its ratio; NULL: none. */
static const struct compare_row *next_row(const struct compare *c, enum compare_verdict v,
					  const struct compare_row *last)
{
	const struct compare_row *best = NULL;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];

		if (row->verdict != v ||
		    (last && (distance(row) > distance(last) ||
			      (distance(row) == distance(last) && row <= last))))
			continue;
		if (!best || distance(row) > distance(best))
			best = row;
	}
	return best;
}

/* ": hypercall +24, cpuid +12, ...": the largest of a verdict, of `n` rows in all. */
static void name_rows(FILE *f, const struct compare *c, enum compare_verdict v, size_t n)
{
	const struct compare_row *row = NULL;
	char number[NUMBER_BYTES];
	size_t i = 0;

	for (; i < NAMED_MOST && (row = next_row(c, v, row)); i++) {
		number_format(number, row->difference, row->level == 1);
		html_format(f, "%s%s", i ? ", " : ": ", row->name);
		if (!isnan(row->difference))
			html_format(f, " %s%s", row->difference > 0 ? "+" : "", number);
	}
	if (i && n > i)
		fputs(", ...", f);
}

static void found_change(FILE *f, const struct report *r,
			 const struct report_change *change, size_t number)
{
	const struct compare *c = change->compare;
	enum compare_verdict v;
	size_t differ;

	if (!c)
		return;
	differ = c->n_rows - count_same(c) - c->count[COMPARE_NONE] -
		 c->count[COMPARE_INCONCLUSIVE];
	fprintf(f, "<li><a href=\"#change-%zu\">", number);
	if (change->config[0] && differ)
		html_format(f, "%zu benchmark%s", differ,
			    differ == 1 ? " differs" : "s differ");
	else
		report_outcome(f, c);
	fputs("</a> ", f);
	if (change->config[0]) {
		html_format(f, "between %s and %s on ", change->config[0],
			    change->config[1]);
		report_label(f, r, change->base);
	} else {
		report_label(f, r, change->new);
		fputs(" against ", f);
		report_label(f, r, change->base);
	}
	v = c->count[COMPARE_WORSE]	     ? COMPARE_WORSE
	    : c->count[COMPARE_BETTER]	     ? COMPARE_BETTER
	    : c->count[COMPARE_WORSE_MAYBE]  ? COMPARE_WORSE_MAYBE
	    : c->count[COMPARE_BETTER_MAYBE] ? COMPARE_BETTER_MAYBE
					     : COMPARE_CHANGED;
	name_rows(f, c, v, change->config[0] ? differ : c->count[v]);
	fputs("</li>\n", f);
}

void report_found_changes(FILE *f, const struct report *r)
{
	for (size_t i = 0; i < r->n_changes; i++)
		if (!r->changes[i].config[0])
			found_change(f, r, &r->changes[i], i);
}

void report_found_configs(FILE *f, const struct report *r)
{
	for (size_t i = 0; i < r->n_changes; i++)
		if (r->changes[i].config[0])
			found_change(f, r, &r->changes[i], i);
}

void report_found_history(FILE *f, const struct report *r)
{
	const struct history_query q = { .all = false };
	const struct history *h = r->in.history;
	struct history_alarm *alarms;
	size_t n, from, end;

	if (!h)
		return;
	alarms = history_alarms(&q, h, &n);
	for (size_t place = 0; place < h->n_places; place++) {
		size_t worse = 0, better = 0, changed = 0;

		if (!place_alarms(alarms, n, place, &from, &end))
			continue;
		for (size_t i = from; i < end; i++) {
			worse += alarms[i].kind == HISTORY_WORSE;
			better += alarms[i].kind == HISTORY_BETTER;
			changed += alarms[i].kind == HISTORY_CHANGED;
		}
		fprintf(f, "<li><a href=\"#place-%zu\">%zu steps</a>", place,
			count_steps(h, alarms + from, end - from));
		html_format(f, " over %zu runs on %s: %zu became worse, %zu better",
			    h->places[place].n_runs, h->places[place].target, worse,
			    better);
		if (changed)
			html_format(f, ", %zu changed their class or distribution",
				    changed);
		fputs("</li>\n", f);
	}
	free(alarms);
}
