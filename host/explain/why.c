/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a comparison that differ, explained: selection, text, Markdown, JSON. */
#include "host/explain/why.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explain_text.h"
#include "host/explain/pair.h"
#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/lib/table.h"
#include "host/result/export.h"

/* Functions of a row that are shown. */
#define TOP   15
/* Differences within this part of each other are explained once, if rows are left out. */
#define ALIKE 0.1

static bool is_selected(const struct compare_row *row, enum why_rows which)
{
	bool worse = row->verdict == COMPARE_WORSE && !row->let_pass;

	if (!row->base.metric || !row->new.metric || row->level != 1 ||
	    strcmp(row->metric, "round_trip") || strcmp(row->unit, "insns"))
		return false;
	if (which == WHY_ALL)
		return row->difference != 0;
	return which == WHY_WORSE && worse;
}

static int by_difference(const void *a, const void *b)
{
	const struct why_row *x = a, *y = b;
	double dx = fabs(x->row->difference), dy = fabs(y->row->difference);

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	/* In the order of the comparison. */
	return (x->row > y->row) - (x->row < y->row);
}

/* Differences of about one size have one cause, as a rule. */
static bool is_alike(const struct why_row *x, const struct why_row *y)
{
	double a = x->row->difference, b = y->row->difference;

	return fabs(a - b) <= ALIKE * fmax(fabs(a), fabs(b));
}

/*
 * Moves at most `limit` rows to the front, in their order: first rows that are not like
 * one before them, so that a second cause is explained, too. `w` is sorted.
 */
static void choose(struct why *w, size_t limit)
{
	struct why_row *left = calloc(w->n_rows, sizeof(*left)); /* at least one */
	bool *chosen = calloc(w->n_rows, sizeof(*chosen));
	size_t n = 0, n_left = 0;

	if (!left || !chosen)
		abort();
	for (size_t i = 0; i < w->n_rows && n < limit; i++) {
		bool alike = false;

		for (size_t k = 0; k < i && !alike; k++)
			alike = chosen[k] && is_alike(&w->rows[k], &w->rows[i]);
		chosen[i] = !alike;
		n += !alike;
	}
	for (size_t i = 0; i < w->n_rows && n < limit; i++) {
		n += !chosen[i];
		chosen[i] = true;
	}
	n = 0;
	for (size_t i = 0; i < w->n_rows; i++)
		if (chosen[i])
			w->rows[n++] = w->rows[i];
		else
			left[n_left++] = w->rows[i];
	/* Each row that is left out counts for the first row that is like it. */
	for (size_t i = 0; i < n_left; i++)
		for (size_t k = 0; k < n; k++)
			if (is_alike(&w->rows[k], &left[i])) {
				w->rows[k].n_alike++;
				break;
			}
	w->n_rows = n;
	w->n_cut = n_left;
	free(left);
	free(chosen);
}

void why_select(const struct compare *c, enum why_rows which, size_t limit, struct why *w)
{
	*w = (struct why){ .rows = calloc(c->n_rows + 1, sizeof(*w->rows)) };
	if (!w->rows)
		abort();
	for (size_t i = 0; i < c->n_rows; i++)
		if (is_selected(&c->rows[i], which))
			w->rows[w->n_rows++].row = &c->rows[i];
	qsort(w->rows, w->n_rows, sizeof(*w->rows), by_difference);
	if (w->n_rows > limit)
		choose(w, limit);
}

void why_free(struct why *w)
{
	for (size_t i = 0; i < w->n_rows; i++) {
		explanation_free(w->rows[i].base);
		explanation_free(w->rows[i].new);
	}
	free(w->rows);
	*w = (struct why){ .rows = NULL };
}

bool why_is_figure(const struct explanation *e, const struct compare_side *side)
{
	return e->round_trip == side->value ||
	       (e->round_trip >= side->min && e->round_trip <= side->max);
}

/* ------------------------------ text ------------------------------ */

/* "hypercall [pmu-off]: 989 -> 1,218 insns (+229)"; free() it. */
static char *heading(const struct why_row *r)
{
	const struct compare_row *row = r->row;
	char base[NUMBER_BYTES], new[NUMBER_BYTES], change[NUMBER_BYTES], *text;
	bool plain = !strcmp(row->base.config, "default");
	bool same = !strcmp(row->base.config, row->new.config);

	number_format(base, row->base.value, true);
	number_format(new, row->new.value, true);
	number_format(change, row->new.value - row->base.value, true);
	if (asprintf(&text, "%s%s%s%s%s%s: %s -> %s insns (%s%s)", row->name,
		     same && plain ? "" : " [", same && plain ? "" : row->base.config,
		     same ? "" : " -> ", same ? "" : row->new.config,
		     same && plain ? "" : "]", base, new,
		     row->new.value > row->base.value ? "+" : "", change) < 0)
		abort();
	return text_cleaned_own(text);
}

/* A figure that lies between two events, so that neither has its length. */
static char *off_median(const char *word, const struct explanation *e)
{
	char is[NUMBER_BYTES], event[NUMBER_BYTES], *text;

	if ((double)e->total == e->round_trip)
		return NULL;
	number_format(is, e->round_trip, true);
	number_format(event, (double)e->total, true);
	if (asprintf(&text, "%s: the explained event has %s insns, the figure is %s",
		     word, event, is) < 0)
		abort();
	return text;
}

/* Rows that are not explained because they differ by about as much. NULL: none. */
static char *alike_text(const struct why_row *r)
{
	char *text;

	if (!r->n_alike)
		return NULL;
	if (asprintf(&text, "%zu more row%s differ%s by about as much", r->n_alike,
		     r->n_alike == 1 ? "" : "s", r->n_alike == 1 ? "s" : "") < 0)
		abort();
	return text;
}

/* Remarks on the totals of a row; each is printed by `print` and freed. */
static void print_remarks(FILE *f, const struct why_row *r,
			  void (*print)(FILE *f, const char *text))
{
	char *remarks[] = {
		off_median("base", r->base),
		off_median("new", r->new),
		alike_text(r),
	};

	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		if (remarks[i])
			print(f, remarks[i]);
		free(remarks[i]);
	}
}

/* "2 of 5 rows, ...": free() it. */
static char *cut_text(const struct why *w)
{
	char *text;

	if (asprintf(
		    &text,
		    "%zu of %zu rows are explained, the largest differences first, and of those alike one (--explain-rows sets the limit)",
		    w->n_rows, w->n_rows + w->n_cut) < 0)
		abort();
	return text;
}

static void print_note(FILE *f, const char *text)
{
	struct table_options o;

	table_options_for(&o, f);
	fputs("note: ", f);
	text_wrap(f, text, strlen("note: "), 2, table_text_columns(&o));
}

void why_print(FILE *f, const struct why *w)
{
	struct table_options o;

	table_options_for(&o, f);
	if (*w->refusal) {
		fputc('\n', f);
		text_wrap(f, w->refusal, 0, 2, table_text_columns(&o));
		return;
	}
	for (size_t i = 0; i < w->n_rows; i++) {
		const struct why_row *r = &w->rows[i];
		char *head = heading(r);
		struct table t;

		fprintf(f, "\n%s\n", head);
		free(head);
		if (!r->base) {
			print_note(f, r->reason);
			continue;
		}
		fputc('\n', f);
		explain_diff_layers(&t, r->base, r->new);
		table_print(f, &t, &o);
		table_free(&t);
		fputc('\n', f);
		explain_diff_functions(&t, r->base, r->new, TOP);
		table_print(f, &t, &o);
		table_free(&t);
		print_remarks(f, r, print_note);
	}
	if (w->n_cut) {
		char *text = cut_text(w);

		fputc('\n', f);
		text_wrap(f, text, 0, 2, table_text_columns(&o));
		free(text);
	}
}

static void markdown_note(FILE *f, const char *text)
{
	fputs("\n> ", f);
	table_markdown_text(f, text);
	fputc('\n', f);
}

void why_print_markdown(FILE *f, const struct why *w)
{
	if (*w->refusal) {
		markdown_note(f, w->refusal);
		return;
	}
	if (!w->n_rows)
		return;
	fprintf(f, "\n<details><summary>Why: the functions behind %zu row%s</summary>\n",
		w->n_rows, w->n_rows == 1 ? "" : "s");
	for (size_t i = 0; i < w->n_rows; i++) {
		const struct why_row *r = &w->rows[i];
		char *head = heading(r);
		struct table t;

		fputs("\n#### ", f);
		table_markdown_text(f, head);
		fputc('\n', f);
		free(head);
		if (!r->base) {
			markdown_note(f, r->reason);
			continue;
		}
		fputc('\n', f);
		explain_diff_layers(&t, r->base, r->new);
		table_markdown(f, &t, 0, t.n_rows);
		table_free(&t);
		fputc('\n', f);
		explain_diff_functions(&t, r->base, r->new, TOP);
		table_markdown(f, &t, 0, t.n_rows);
		table_free(&t);
		print_remarks(f, r, markdown_note);
	}
	if (w->n_cut) {
		char *text = cut_text(w);

		markdown_note(f, text);
		free(text);
	}
	fputs("\n</details>\n", f);
}

/* ------------------------------ JSON ------------------------------ */

static void json_row(struct json_list *l, const char *array, const struct why_row *r)
{
	json_list_row(l, array);
	json_list_string(l, "name", r->row->name);
	json_list_string(l, "base_config", r->row->base.config);
	json_list_string(l, "new_config", r->row->new.config);
}

static void json_change(struct json_list *l, long long base, long long now)
{
	json_list_number(l, "base", (double)base);
	json_list_number(l, "new", (double)now);
	json_list_number(l, "difference", (double)(now - base));
}

static void json_explanation(struct json_list *l, const struct why_row *r)
{
	bool both = r->base != NULL;

	json_row(l, "explanations", r);
	json_list_string(l, "reason", both ? NULL : r->reason);
	json_list_real(l, "base_figure", r->row->base.value);
	json_list_real(l, "new_figure", r->row->new.value);
	json_list_real(l, "base_explained", both ? r->base->round_trip : NAN);
	json_list_real(l, "new_explained", both ? r->new->round_trip : NAN);
	json_list_real(l, "base_total", both ? (double)r->base->total : NAN);
	json_list_real(l, "new_total", both ? (double)r->new->total : NAN);
	json_list_real(l, "base_clock_insns", both ? (double)r->base->clock_insns : NAN);
	json_list_real(l, "new_clock_insns", both ? (double)r->new->clock_insns : NAN);
}

static void json_parts(struct json_list *l, const struct why_row *r)
{
	struct explain_layer_change *layers;
	size_t n = explain_layer_changes(r->base, r->new, &layers), i;
	struct explain_change *changes;

	for (i = 0; i < n; i++) {
		json_row(l, "explained_layers", r);
		json_list_string(l, "layer", layers[i].name);
		json_change(l, layers[i].base, layers[i].now);
	}
	free(layers);
	n = explain_changes(r->base, r->new, &changes);
	for (i = 0; i < n; i++) {
		const struct explain_change *c = &changes[i];

		json_row(l, "explained_functions", r);
		json_list_string(l, "function", c->name);
		json_list_string(l, "space", c->space);
		json_list_string(l, "module", c->module);
		json_list_string(l, "layer", c->layer);
		json_change(l, (long long)c->base, (long long)c->now);
		json_list_bool(l, "paired", c->paired);
		json_list_string(l, "how", c->how);
	}
	explain_changes_free(changes, n);
}

void why_json(struct json_list *l, const struct why *w)
{
	json_list_object(l, "explained");
	json_list_count(l, "rows", w->n_rows);
	json_list_count(l, "cut", w->n_cut);
	json_list_string(l, "refusal", *w->refusal ? w->refusal : NULL);
	json_list_array(l, "explanations");
	json_list_array(l, "explained_layers");
	json_list_array(l, "explained_functions");
	for (size_t i = 0; i < w->n_rows; i++) {
		json_explanation(l, &w->rows[i]);
		if (w->rows[i].base)
			json_parts(l, &w->rows[i]);
	}
	json_list_top(l);
}
