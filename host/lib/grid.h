/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of short texts in columns as wide as need be, for a terminal or for
 * Markdown. All calls abort on lack of memory.
 */
#ifndef WS_CLI_GRID_H
#define WS_CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum grid_color {
	GRID_PLAIN,
	GRID_DIM,
	GRID_RED,
	GRID_GREEN,
	GRID_YELLOW,
};

struct grid_column {
	const char *head;
	bool right; /* numbers: flush right */
};

struct grid {
	const struct grid_column *columns;
	size_t n_columns;
	char ***rows; /* n_columns texts each */
	enum grid_color *colors;
	size_t n_rows;
	char **notes; /* note i + 1 is notes[i] */
	size_t n_notes;
};

void grid_init(struct grid *g, const struct grid_column *columns, size_t n_columns);
void grid_free(struct grid *g);

/* Begins a row, all of its cells empty. */
void grid_row(struct grid *g, enum grid_color color);

/* Sets a cell of the last row. Control characters are replaced. */
void grid_cell(struct grid *g, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The number of a note below the table; the same words are said once. */
size_t grid_note(struct grid *g, const char *text);

struct table_options {
	unsigned int columns; /* the width to stay within where possible */
	bool utf8;	      /* the reader's locale is UTF-8: use +- as one sign */
	bool color;
};

/* For `f`: 100 columns, UTF-8 by the locale, colour by message_color(). */
void table_defaults(struct table_options *o, FILE *f);

/* Columns that are empty in all rows are left out. Notes follow after a blank line. */
void grid_print(FILE *f, const struct grid *g, const struct table_options *o);
void grid_print_notes(FILE *f, const struct grid *g, const struct table_options *o);

/* Rows [from, to) as a table of Markdown. */
void grid_print_markdown(FILE *f, const struct grid *g, size_t from, size_t to);
void grid_print_markdown_notes(FILE *f, const struct grid *g);
/* Text that comes from a document, harmless to Markdown. */
void grid_print_escaped(FILE *f, const char *text);

#endif
