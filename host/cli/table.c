/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table a run ends with: layout, and what is printed round it. */
#include "host/cli/table.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/cli/table_foot.h"
#include "host/lib/text.h"
#include "host/result/result.h"
#include "host/report/table_model.h"

#define COLUMNS_DEFAULT 100
#define GAP		2
#define HEAD_LINES	4 /* a target's name in up to three pieces, and the unit */
#define HEAD_BYTES	40

#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

/* A document's column: head, and the widths of its parts. */
struct column {
	char head[HEAD_LINES][HEAD_BYTES];
	size_t number, tail, mark, against;
};

struct layout {
	const struct table_model *m;
	const struct table_options *o;
	FILE *f;
	size_t label, handled;
	struct column *columns; /* one per document */
};

static size_t max2(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void color(const struct layout *l, const char *code)
{
	if (l->o->color)
		fputs(code, l->f);
}

/* "lab:aarch64-vhe" stands in three lines, the last of them just above the unit. */
static void fill_head(struct column *c, const struct table_model *m, size_t d)
{
	char name[HEAD_BYTES], unit[24], *rest = name;
	char *pieces[HEAD_LINES - 1] = { NULL };
	size_t n = 0;

	snprintf(name, sizeof(name), "%s", m->docs[d]->target.name);
	message_clean(name);
	for (; rest && n < HEAD_LINES - 2; n++)
		pieces[n] = strsep(&rest, ":-");
	if (rest)
		pieces[n++] = rest;
	for (size_t i = 0; i < n; i++)
		snprintf(c->head[HEAD_LINES - 1 - n + i], HEAD_BYTES, "%s", pieces[i]);

	snprintf(unit, sizeof(unit), "%s", table_model_unit(m, d));
	message_clean(unit);
	if (table_model_shared(m, d))
		snprintf(c->head[HEAD_LINES - 1], HEAD_BYTES, "#%u %s",
			 (unsigned int)d + 1, unit);
	else
		snprintf(c->head[HEAD_LINES - 1], HEAD_BYTES, "%s", unit);
}

static size_t column_width(const struct column *c)
{
	return c->number + (c->tail ? 1 + c->tail : 0) + (c->mark ? 1 + c->mark : 0) +
	       (c->against ? GAP + c->against : 0);
}

static void measure(struct layout *l)
{
	const struct table_model *m = l->m;

	l->label = strlen("benchmark");
	l->handled = strlen("handled by");
	for (size_t i = 0; i < m->rows.n; i++)
		l->label = max2(l->label, text_width(m->lines[i].label));
	for (size_t d = 0; d < m->n_docs; d++) {
		struct column *c = &l->columns[d];

		fill_head(c, m, d);
		for (size_t i = 0; i < m->rows.n; i++) {
			const struct table_cell *cell = &m->lines[i].cells[d];

			c->number = max2(c->number, text_width(cell->number));
			c->tail = max2(c->tail, text_width(cell->tail));
			c->mark = max2(c->mark, text_width(cell->mark));
			c->against = max2(c->against, text_width(cell->against));
		}
		for (size_t i = 0; i < HEAD_LINES; i++)
			c->number = max2(c->number, text_width(c->head[i]));
	}
}

static size_t width_of(const struct layout *l, size_t from, size_t to)
{
	size_t width = l->label + GAP + l->handled;

	for (size_t d = from; d < to; d++)
		width += GAP + column_width(&l->columns[d]);
	return width;
}

/*
 * How many documents from `from` on stand side by side: as many as fit, at least one;
 * where they do not all fit into one table, those of one unit.
 */
static size_t fitting(const struct layout *l, size_t from)
{
	size_t n_docs = l->m->n_docs, n = 1;

	if (width_of(l, 0, n_docs) <= l->o->columns)
		return n_docs;
	while (from + n < n_docs && width_of(l, from, from + n + 1) <= l->o->columns &&
	       !strcmp(table_model_unit(l->m, from), table_model_unit(l->m, from + n)))
		n++;
	return n;
}

/* Above its numbers, not above what stands behind them. */
static void print_head_cell(const struct layout *l, size_t line, size_t d, bool last)
{
	const struct column *c = &l->columns[d];

	text_right(l->f, c->head[line], GAP + c->number);
	if (!last)
		text_left(l->f, "", column_width(c) - c->number);
}

static void print_head(const struct layout *l, size_t from, size_t to)
{
	size_t width = width_of(l, from, to);

	color(l, BOLD);
	for (size_t line = 0; line < HEAD_LINES; line++) {
		bool last = line == HEAD_LINES - 1;
		size_t filled = to;

		while (filled > from && !*l->columns[filled - 1].head[line])
			filled--;
		if (filled == from)
			continue;

		text_left(l->f, last ? "benchmark" : "", l->label + GAP);
		text_left(l->f, last ? "handled by" : "", l->handled);
		for (size_t d = from; d < filled; d++)
			print_head_cell(l, line, d, d + 1 == filled);
		fputc('\n', l->f);
	}
	color(l, PLAIN);
	for (size_t i = 0; i < width; i++)
		fputs(l->o->utf8 ? "\u2500" : "-", l->f);
	fputc('\n', l->f);
}

/* `more` stands behind it in this line: no blanks at the end of a line. */
static void print_part_of_cell(const struct layout *l, const char *text, size_t width,
			       bool more)
{
	if (!width || (!more && !*text))
		return;
	fputc(' ', l->f);
	text_left(l->f, text, more ? width : 0);
}

static void print_cell(const struct layout *l, const struct table_cell *cell,
		       const struct column *c, bool last)
{
	bool against = !last || *cell->against, mark = against || *cell->mark;

	fprintf(l->f, "%*s", GAP, "");
	if (cell->failed)
		color(l, RED);
	else if (cell->skipped || !strcmp(cell->number, "-"))
		color(l, DIM);
	text_right(l->f, cell->number, c->number);
	print_part_of_cell(l, cell->tail, c->tail, mark);
	print_part_of_cell(l, cell->mark, c->mark, against);
	if (c->against && against)
		text_right(l->f, cell->against, GAP + c->against);
	if (cell->failed || cell->skipped || !strcmp(cell->number, "-"))
		color(l, PLAIN);
}

/* A row of which no cell in this part of the table says anything is left out. */
static bool line_is_empty(const struct table_line *line, size_t from, size_t to)
{
	for (size_t d = from; d < to; d++)
		if (strcmp(line->cells[d].number, "-"))
			return false;
	return true;
}

static void print_part(const struct layout *l, size_t from, size_t to)
{
	print_head(l, from, to);
	for (size_t i = 0; i < l->m->rows.n; i++) {
		const struct table_line *line = &l->m->lines[i];

		if (line_is_empty(line, from, to))
			continue;
		text_left(l->f, line->label, l->label + GAP);
		text_left(l->f, line->handled, l->handled);
		for (size_t d = from; d < to; d++)
			print_cell(l, &line->cells[d], &l->columns[d], d + 1 == to);
		fputc('\n', l->f);
	}
	fputc('\n', l->f);
}

/* What documents say must not steer the terminal. */
static void clean(struct table_model *m)
{
	for (size_t i = 0; i < m->rows.n; i++) {
		message_clean(m->lines[i].label);
		for (size_t d = 0; d < m->n_docs; d++)
			message_clean(m->lines[i].cells[d].mark);
	}
}

void table_print(FILE *f, const struct result *const *docs, size_t n,
		 const struct table_options *o)
{
	struct table_model m;
	struct layout l = { .m = &m, .o = o, .f = f };

	if (!n)
		return;
	table_model_build(&m, docs, n, o->utf8 ? "\u00b1" : "+-");
	clean(&m);
	l.columns = calloc(n, sizeof(*l.columns));
	if (!l.columns)
		abort();
	measure(&l);
	fputs("Round trips: from the guest to whoever handles the exit, and back\n\n", f);
	for (size_t from = 0, count; from < n; from += count) {
		count = fitting(&l, from);
		print_part(&l, from, from + count);
	}
	table_foot_print(f, &m, o);
	free(l.columns);
	table_model_free(&m);
}
