/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of tables of short texts, and their rendering as Markdown and as HTML. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/html.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

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

/* Line by line. */
static char *copy_head(const char *head)
{
	char *text, *lines = copy(head), *rest = lines, *line;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	checked(f);
	while ((line = strsep(&rest, "\n"))) {
		line = text_cleaned(line);
		fprintf(f, "%s%s", line, rest ? "\n" : "");
		free(line);
	}
	free(lines);
	if (fclose(f))
		abort();
	return text;
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
	new->head = copy_head(column->head ? column->head : "");
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
	cell->text = text_cleaned_own(cell->text);
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

void table_align_decimals(struct table *t, size_t column)
{
	bool any = false;

	for (size_t i = 0; i < t->n_rows; i++)
		any |= !isnan(t->rows[i].cells[column].value) &&
		       strchr(t->rows[i].cells[column].text, '.');
	for (size_t i = 0; any && i < t->n_rows; i++) {
		struct table_cell *cell = &t->rows[i].cells[column];
		char number[NUMBER_BYTES], *old = cell->text;

		if (isnan(cell->value))
			continue;
		number_format(number, cell->value, true);
		if (asprintf(&cell->text, "%s%s%s", *old == '+' ? "+" : "", number,
			     strchr(number, '.') ? "" : ".0") < 0)
			abort();
		free(old);
	}
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

void table_markdown_text(FILE *f, const char *foreign)
{
	char *clean = text_cleaned(foreign);

	for (const char *text = clean; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if (strchr("|*_`[]\\~#@", *text))
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	}
	free(clean);
}

/* A column whose cells are all empty, with those that are joined to it. */
static bool is_blank_in_markdown(const struct table *t, size_t c)
{
	size_t end = c + 1;

	while (end < t->n_columns && table_is_joined(t, end))
		end++;
	for (size_t i = 0; i < t->n_rows; i++)
		for (size_t k = c; k < end; k++)
			if (*t->rows[i].cells[k].text)
				return false;
	return t->n_rows;
}

void table_markdown(FILE *f, const struct table *t, size_t from, size_t to)
{
	bool *blank = calloc(t->n_columns + 1, sizeof(*blank));

	if (!blank)
		abort();
	for (size_t c = 0; c < t->n_columns; c++)
		blank[c] =
			table_is_joined(t, c) ? blank[c - 1] : is_blank_in_markdown(t, c);
	for (size_t c = 0; c < t->n_columns; c++) {
		if (table_is_joined(t, c) || blank[c])
			continue;
		fputs("| ", f);
		table_markdown_text(f, t->columns[c].head);
		fputc(' ', f);
	}
	fputs("|\n", f);
	for (size_t c = 0; c < t->n_columns; c++)
		if (!table_is_joined(t, c) && !blank[c])
			fputs(t->columns[c].flags & TABLE_RIGHT ? "| --: " : "| --- ", f);
	fputs("|\n", f);
	for (size_t i = from; i < to; i++) {
		for (size_t c = 0; c < t->n_columns; c++) {
			const char *text = t->rows[i].cells[c].text;

			if (blank[c])
				continue;
			if (!table_is_joined(t, c))
				fputs("| ", f);
			table_markdown_text(f, text);
			if (*text || !table_is_joined(t, c))
				fputc(' ', f);
		}
		fputs("|\n", f);
	}
	free(blank);
}

void table_markdown_notes(FILE *f, const struct table *t)
{
	for (size_t i = 0; i < t->n_notes; i++) {
		fprintf(f, "%s\\[%zu\\] ", i ? "<br>" : "", i + 1);
		table_markdown_text(f, t->notes[i]);
		fputc('\n', f);
	}
}

static void html_head(FILE *f, const struct table_column *c, bool row_header)
{
	size_t first = strcspn(c->head, "\n");

	fputs(c->flags & TABLE_RIGHT ? "<th scope=col class=n>"
	      : row_header	     ? "<th scope=col class=k>"
				     : "<th scope=col>",
	      f);
	html_format(f, "%.*s", (int)first, c->head);
	if (c->head[first])
		html_tag(f, "small", " %s", c->head + first + 1);
	fputs("</th>", f);
}

static void html_cell(FILE *f, const struct table_column *c,
		      const struct table_cell *cell, bool row_header)
{
	const char *kind = "";
	const char *class = cell->color == TABLE_RED	 ? "worse"
			    : cell->color == TABLE_GREEN ? "better"
							 : "";

	if (c->flags & TABLE_RIGHT)
		kind = "n";
	else if (c->flags & TABLE_VERDICT)
		kind = "v";
	fputs(row_header ? "<th scope=row" : "<td", f);
	if (*kind && *class)
		fprintf(f, " class=\"%s %s\"", kind, class);
	else if (*kind || *class)
		fprintf(f, " class=%s%s", kind, class);
	if (!isnan(cell->value))
		fprintf(f, " data-v=\"%.17g\"", cell->value);
	fputc('>', f);
	html_text(f, cell->text);
}

/* Empty columns are not shown, as on a terminal; a table without rows keeps its head. */
static bool is_blank_in_html(const struct table *t, size_t c)
{
	for (size_t i = 0; i < t->n_rows; i++)
		if (*t->rows[i].cells[c].text)
			return false;
	return t->n_rows || !*t->columns[c].head;
}

void table_html(FILE *f, const struct table *t)
{
	bool *blank = calloc(t->n_columns + 1, sizeof(*blank));
	size_t header = 0; /* the first key column */

	if (!blank)
		abort();
	while (header < t->n_columns && !(t->columns[header].flags & TABLE_KEY))
		header++;
	for (size_t c = 0; c < t->n_columns; c++)
		blank[c] = !table_is_joined(t, c) && is_blank_in_html(t, c);
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr>", f);
	for (size_t c = 0; c < t->n_columns; c++)
		if (!table_is_joined(t, c) && !blank[c])
			html_head(f, &t->columns[c], c == header);
	fputs("</tr></thead>\n<tbody>\n", f);
	for (size_t i = 0; i < t->n_rows; i++) {
		const char *end = "</td>";

		fputs("<tr>", f);
		for (size_t c = 0; c < t->n_columns; c++) {
			const struct table_cell *cell = &t->rows[i].cells[c];

			if (blank[c])
				continue;
			if (!table_is_joined(t, c))
				html_cell(f, &t->columns[c], cell, c == header);
			else if (*cell->text)
				html_tag(f, "small", " %s", cell->text);
			if (!table_is_joined(t, c))
				end = c == header ? "</th>" : "</td>";
			if (!table_is_joined(t, c + 1))
				fputs(end, f);
		}
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div>\n", f);
	free(blank);
}
