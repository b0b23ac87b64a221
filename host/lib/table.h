/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of short texts: one model (table.c), rendered for a terminal (table_text.c), as
 * Markdown and as HTML. All functions abort when memory is exhausted. Control characters
 * in cells are escaped: text_clean().
 */
#ifndef WS_LIB_TABLE_H
#define WS_LIB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_color {
	TABLE_PLAIN,
	TABLE_DIM,
	TABLE_RED,
	TABLE_GREEN,
	TABLE_YELLOW,
};

enum table_flags {
	TABLE_RIGHT =
		1 << 0, /* a number: aligned to the right, sorted by its value in HTML */
	TABLE_KEY = 1 << 1,  /* names the row: repeated in every part of a split table */
	TABLE_KEEP = 1 << 2, /* never split from the column on the left */
	TABLE_JOIN =
		1 << 3, /* TABLE_KEEP, one blank from that column and below its head */
	TABLE_WRAP = 1 << 4,	/* the last column: wraps in the width that is left */
	TABLE_VERDICT = 1 << 5, /* HTML: not broken into lines */
};

struct table_column {
	const char *head;   /* '\n' separates lines; aligned at the bottom */
	unsigned int flags; /* TABLE_* */
	/* The order in which columns are left out of a table that is too wide; 0: never.
	 */
	unsigned int drop;
	/* A split table puts columns of different families into different parts; or NULL.
	 */
	const char *family;
};

struct table_cell {
	char *text;
	double value; /* the key to sort by; NAN: none */
	enum table_color color;
};

struct table_row {
	struct table_cell *cells; /* one per column */
	enum table_color color;	  /* of the whole row */
};

struct table {
	struct table_column *columns;
	size_t n_columns;
	struct table_row *rows;
	size_t n_rows;
	char **notes; /* note i + 1 is notes[i] */
	size_t n_notes;
};

/* The strings of `columns` are copied. */
void table_init(struct table *t, const struct table_column *columns, size_t n_columns);
void table_free(struct table *t);
/* Appends a column; only before the first row. */
void table_column(struct table *t, const struct table_column *column);

/* Appends a row of empty cells. */
void table_row(struct table *t, enum table_color color);

/* These set a cell of the last row. */
void table_cell(struct table *t, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* number_format(), with '+' if `sign` and `value` > 0; NAN leaves the cell empty. */
void table_number(struct table *t, size_t column, double value, bool exact, bool sign);
/* Numbers of a column with a decimal in one of them: a decimal in each. */
void table_align_decimals(struct table *t, size_t column);
void table_cell_color(struct table *t, size_t column, enum table_color color);
void table_cell_value(struct table *t, size_t column, double value);

/* The number of a note below the table; equal texts share one note. */
size_t table_note(struct table *t, const char *text);

/* Whether column `c` exists and is a part of the cell on its left. */
bool table_is_joined(const struct table *t, size_t c);

struct table_options {
	unsigned int columns; /* the width that a table stays within if it can */
	bool utf8;	      /* the locale's encoding is UTF-8 */
	bool color;
};

/*
 * For `f`: a terminal's own width; otherwise $COLUMNS, unless `f` is a regular file;
 * otherwise 100. Colour by message_color().
 */
void table_options_for(struct table_options *o, FILE *f);

/* Limits the width of tables from now on: for text that is mailed. */
void table_limit(unsigned int columns);

/* The width to wrap paragraphs at: lines longer than 100 columns are hard to read. */
size_t table_text_columns(const struct table_options *o);

/*
 * Columns whose cells are all empty are not shown. If the table is too wide, a TABLE_WRAP
 * text goes below its row unless it fits after the row; then columns with a drop order
 * are left out and named below the table; then the table is split, and rows that are
 * empty or "-" in a part are left out of that part.
 */
void table_print(FILE *f, const struct table *t, const struct table_options *o);
void table_print_notes(FILE *f, const struct table *t, const struct table_options *o);

/* Rows [from, to). TABLE_JOIN cells become part of the cell on their left. */
void table_markdown(FILE *f, const struct table *t, size_t from, size_t to);
void table_markdown_notes(FILE *f, const struct table *t);
/* `text` with everything escaped that Markdown or HTML within Markdown interprets. */
void table_markdown_text(FILE *f, const char *text);

/* TABLE_JOIN cells become <small>; row headers are <th>; colours are classes of the page.
 */
void table_html(FILE *f, const struct table *t);

#endif
