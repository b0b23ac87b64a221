/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums the functions that changed in several rows of a step. */
#include "host/explain/step.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/pair.h"
#include "host/lib/text.h"
#include "host/lib/table.h"

/* The changes of one row. */
struct step_changes {
	struct explain_change *list;
	size_t n;
	struct step_changes *next;
};

/* NULL is equal to NULL. */
static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Adds up the changes of a row that are of one function, so that the row counts once. */
static void merge(struct step_changes *row)
{
	for (size_t i = 0; i < row->n; i++)
		for (size_t k = i + 1; k < row->n; k++) {
			struct explain_change *c = &row->list[i], *d = &row->list[k];

			if (strcmp(c->name, d->name) || strcmp(c->space, d->space) ||
			    !same_text(c->module, d->module))
				continue;
			c->change += d->change;
			d->change = 0;
		}
}

static struct step_function *function_of(struct step *step,
					 const struct explain_change *c)
{
	for (size_t i = 0; i < step->n; i++) {
		struct step_function *f = &step->functions[i];

		if (!strcmp(f->name, c->name) && !strcmp(f->space, c->space) &&
		    same_text(f->module, c->module))
			return f;
	}
	step->functions =
		reallocarray(step->functions, step->n + 1, sizeof(*step->functions));
	if (!step->functions)
		abort();
	step->functions[step->n] = (struct step_function){
		.name = c->name,
		.space = c->space,
		.module = c->module,
	};
	return &step->functions[step->n++];
}

static void add(struct step *step, const struct explain_change *c)
{
	struct step_function *f;

	if (!c->change)
		return;
	f = function_of(step, c);
	if (!f->n_rows) {
		f->layer = c->layer;
		f->how = c->how;
		f->least = f->most = c->change;
	}
	f->least = c->change < f->least ? c->change : f->least;
	f->most = c->change > f->most ? c->change : f->most;
	f->n_rows++;
}

static long long size_of(const struct step_function *f)
{
	return llabs(f->least) > llabs(f->most) ? llabs(f->least) : llabs(f->most);
}

static int by_weight(const void *a, const void *b)
{
	const struct step_function *x = a, *y = b;
	long long dx = size_of(x) * (long long)x->n_rows;
	long long dy = size_of(y) * (long long)y->n_rows;

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	return strcmp(x->name, y->name) ? strcmp(x->name, y->name)
					: strcmp(x->layer, y->layer);
}

void step_sum(const struct step_row *rows, size_t n, struct step *out)
{
	*out = (struct step){ .functions = NULL };
	for (size_t i = 0; i < n; i++) {
		struct step_changes *c = calloc(1, sizeof(*c));

		if (!c)
			abort();
		c->n = explain_changes(rows[i].base, rows[i].now, &c->list);
		c->next = out->changes;
		out->changes = c;
		merge(c);
		for (size_t k = 0; k < c->n; k++)
			add(out, &c->list[k]);
	}
	if (out->n)
		qsort(out->functions, out->n, sizeof(*out->functions), by_weight);
}

void step_free(struct step *step)
{
	struct step_changes *c = step->changes, *next;

	for (; c; c = next) {
		next = c->next;
		explain_changes_free(c->list, c->n);
		free(c);
	}
	free(step->functions);
	*step = (struct step){ .functions = NULL };
}

static void signed_number(char text[NUMBER_BYTES + 1], long long value)
{
	text[0] = '+';
	number_format(text + (value > 0), (double)value, true);
}

static void add_row(struct table *t, const struct step_function *f, size_t n_rows)
{
	char least[NUMBER_BYTES + 1], most[NUMBER_BYTES + 1];

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", f->name);
	signed_number(least, f->least);
	signed_number(most, f->most);
	if (f->least == f->most)
		table_cell(t, 1, "%s", most);
	else
		table_cell(t, 1, "%s to %s", least, most);
	table_cell(t, 2, "%zu of %zu", f->n_rows, n_rows);
	table_cell(t, 3, "%s", f->layer);
	if (f->how)
		table_cell(t, 4, "%s", f->how);
}

void step_table(struct table *t, const struct step *step, size_t n_rows, size_t top)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL }, { "change", TABLE_RIGHT, 0, NULL },
		{ "rows", TABLE_RIGHT, 0, NULL },   { "layer", 0, 1, NULL },
		{ "", TABLE_WRAP, 0, NULL },
	};

	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < step->n && i < top; i++)
		add_row(t, &step->functions[i], n_rows);
	if (step->n > top) {
		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%zu more", step->n - top);
	}
}
