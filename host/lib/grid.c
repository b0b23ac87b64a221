/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of short texts, for a terminal or for Markdown. */
#include "host/lib/grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/lib/message.h"
#include <langinfo.h>
#include "host/lib/text.h"

#define GAP 2

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void grid_init(struct grid *g, const struct grid_column *columns, size_t n_columns)
{
	*g = (struct grid){ .columns = columns, .n_columns = n_columns };
}

void grid_free(struct grid *g)
{
	for (size_t i = 0; i < g->n_rows; i++) {
		for (size_t c = 0; c < g->n_columns; c++)
			free(g->rows[i][c]);
		free(g->rows[i]);
	}
	for (size_t i = 0; i < g->n_notes; i++)
		free(g->notes[i]);
	free(g->rows);
	free(g->colors);
	free(g->notes);
	*g = (struct grid){ 0 };
}

void grid_row(struct grid *g, enum grid_color color)
{
	char **cells = checked(calloc(g->n_columns, sizeof(*cells)));

	for (size_t c = 0; c < g->n_columns; c++)
		cells[c] = checked(strdup(""));
	g->rows = checked(reallocarray(g->rows, g->n_rows + 1, sizeof(*g->rows)));
	g->colors = checked(reallocarray(g->colors, g->n_rows + 1, sizeof(*g->colors)));
	g->rows[g->n_rows] = cells;
	g->colors[g->n_rows++] = color;
}

void grid_cell(struct grid *g, size_t column, const char *fmt, ...)
{
	char **cell = &g->rows[g->n_rows - 1][column];
	va_list ap;

	free(*cell);
	va_start(ap, fmt);
	if (vasprintf(cell, fmt, ap) < 0)
		abort();
	va_end(ap);
	message_clean(*cell);
}

size_t grid_note(struct grid *g, const char *text)
{
	for (size_t i = 0; i < g->n_notes; i++)
		if (!strcmp(g->notes[i], text))
			return i + 1;
	g->notes = checked(reallocarray(g->notes, g->n_notes + 1, sizeof(*g->notes)));
	g->notes[g->n_notes] = checked(strdup(text));
	return ++g->n_notes;
}

/* 0: nothing stands in it. */
static size_t column_width(const struct grid *g, size_t c)
{
	size_t width = 0, head = text_width(g->columns[c].head);

	for (size_t i = 0; i < g->n_rows; i++) {
		size_t w = text_width(g->rows[i][c]);

		width = w > width ? w : width;
	}
	return width && width < head ? head : width;
}

static void color(FILE *f, const struct table_options *o, enum grid_color which)
{
	static const char *const codes[] = {
		[GRID_PLAIN] = "\033[0m",   [GRID_DIM] = "\033[2m",
		[GRID_RED] = "\033[31m",    [GRID_GREEN] = "\033[32m",
		[GRID_YELLOW] = "\033[33m",
	};

	if (o->color)
		fputs(codes[which], f);
}

/* No blanks at the end of a line: what pads a cell waits for the next one. */
static void print_line(FILE *f, const struct grid *g, const size_t *widths, char **texts)
{
	size_t pad = 0;

	for (size_t c = 0; c < g->n_columns; c++) {
		const char *text = texts ? texts[c] : g->columns[c].head;
		size_t w = text_width(text);

		if (!widths[c])
			continue;
		if (*text) {
			size_t before = g->columns[c].right ? widths[c] - w : 0;

			fprintf(f, "%*s%s", (int)(pad + before), "", text);
			pad = widths[c] - w - before + GAP;
		} else {
			pad += widths[c] + GAP;
		}
	}
	fputc('\n', f);
}

void grid_print(FILE *f, const struct grid *g, const struct table_options *o)
{
	size_t *widths = checked(calloc(g->n_columns, sizeof(*widths))), total = 0;

	for (size_t c = 0; c < g->n_columns; c++) {
		widths[c] = column_width(g, c);
		total += widths[c] ? widths[c] + (total ? GAP : 0) : 0;
	}
	if (g->n_rows) {
		if (o->color)
			fputs("\033[1m", f);
		print_line(f, g, widths, NULL);
		color(f, o, GRID_PLAIN);
		for (size_t i = 0; i < total; i++)
			fputs(o->utf8 ? "\u2500" : "-", f);
		fputc('\n', f);
	}
	for (size_t i = 0; i < g->n_rows; i++) {
		if (g->colors[i] != GRID_PLAIN)
			color(f, o, g->colors[i]);
		print_line(f, g, widths, g->rows[i]);
		if (g->colors[i] != GRID_PLAIN)
			color(f, o, GRID_PLAIN);
	}
	free(widths);
}

void grid_print_notes(FILE *f, const struct grid *g, const struct table_options *o)
{
	for (size_t i = 0; i < g->n_notes; i++) {
		int at = fprintf(f, "[%zu] ", i + 1);

		text_wrap(f, g->notes[i], (size_t)at, (size_t)at, o->columns);
	}
}

/* What means something to Markdown, or HTML within it, is made harmless. */
void grid_print_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if (strchr("|*_`[]\\~#@", *text))
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	}
}

void grid_print_markdown(FILE *f, const struct grid *g, size_t from, size_t to)
{
	for (size_t c = 0; c < g->n_columns; c++)
		fprintf(f, "| %s ", g->columns[c].head);
	fputs("|\n", f);
	for (size_t c = 0; c < g->n_columns; c++)
		fputs(g->columns[c].right ? "| --: " : "| --- ", f);
	fputs("|\n", f);
	for (size_t i = from; i < to; i++) {
		for (size_t c = 0; c < g->n_columns; c++) {
			fputs("| ", f);
			grid_print_escaped(f, g->rows[i][c]);
			fputc(' ', f);
		}
		fputs("|\n", f);
	}
}

void grid_print_markdown_notes(FILE *f, const struct grid *g)
{
	for (size_t i = 0; i < g->n_notes; i++) {
		fprintf(f, "%s\\[%zu\\] ", i ? "<br>" : "", i + 1);
		grid_print_escaped(f, g->notes[i]);
		fputc('\n', f);
	}
}

void table_defaults(struct table_options *o, FILE *f)
{
	o->columns = 100;
	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	o->color = message_color(f);
}
