/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of tables of short texts. */
#include "host/lib/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/lib/number.h"

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static char *copy(const char *text)
{
	return text ? checked(strdup(text)) : NULL;
}

void table_init(struct table *t, const struct table_column *columns, size_t n_columns)
{
	*t = (struct table){ 0 };
	for (size_t c = 0; c < n_columns; c++)
		table_column(t, &columns[c]);
}

void table_column(struct table *t, const struct table_column *column)
{
	struct table_column *new;

	t->columns =
		checked(reallocarray(t->columns, t->n_columns + 1, sizeof(*t->columns)));
	new = &t->columns[t->n_columns++];
	*new = *column;
	new->head = copy(column->head ? column->head : "");
	new->family = copy(column->family);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		for (size_t c = 0; c < t->n_columns; c++)
			free(t->rows[i].cells[c].text);
		free(t->rows[i].cells);
	}
	for (size_t c = 0; c < t->n_columns; c++) {
		free((char *)t->columns[c].head);
		free((char *)t->columns[c].family);
	}
	for (size_t i = 0; i < t->n_notes; i++)
		free(t->notes[i]);
	free(t->rows);
	free(t->columns);
	free(t->notes);
	*t = (struct table){ 0 };
}

void table_row(struct table *t, enum table_color color)
{
	struct table_row row = { .color = color };

	row.cells = checked(calloc(t->n_columns, sizeof(*row.cells)));
	for (size_t c = 0; c < t->n_columns; c++)
		row.cells[c] = (struct table_cell){ copy(""), NAN, TABLE_PLAIN };
	t->rows = checked(reallocarray(t->rows, t->n_rows + 1, sizeof(*t->rows)));
	t->rows[t->n_rows++] = row;
}

static struct table_cell *last(struct table *t, size_t column)
{
	return &t->rows[t->n_rows - 1].cells[column];
}

void table_cell(struct table *t, size_t column, const char *fmt, ...)
{
	struct table_cell *cell = last(t, column);
	va_list ap;

	free(cell->text);
	va_start(ap, fmt);
	if (vasprintf(&cell->text, fmt, ap) < 0)
		abort();
	va_end(ap);
	message_clean(cell->text);
}

void table_number(struct table *t, size_t column, double value, bool exact, bool sign)
{
	char text[NUMBER_BYTES];

	if (isnan(value))
		return;
	number_format(text, value, exact);
	table_cell(t, column, "%s%s", sign && value > 0 ? "+" : "", text);
	table_cell_value(t, column, value);
}

void table_cell_color(struct table *t, size_t column, enum table_color color)
{
	last(t, column)->color = color;
}

void table_cell_value(struct table *t, size_t column, double value)
{
	last(t, column)->value = value;
}

size_t table_note(struct table *t, const char *text)
{
	for (size_t i = 0; i < t->n_notes; i++)
		if (!strcmp(t->notes[i], text))
			return i + 1;
	t->notes = checked(reallocarray(t->notes, t->n_notes + 1, sizeof(*t->notes)));
	t->notes[t->n_notes] = copy(text);
	return ++t->n_notes;
}

bool table_is_joined(const struct table *t, size_t c)
{
	return c < t->n_columns && t->columns[c].flags & TABLE_JOIN;
}
