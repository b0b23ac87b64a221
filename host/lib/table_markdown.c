/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as Markdown. */
#include <stdlib.h>
#include <string.h>

#include "host/lib/table.h"

void table_markdown_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if (*text == '\n')
			fputc(' ', f);
		else if (strchr("|*_`[]\\~#@", *text))
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	}
}

/* A column whose cells are all empty, with those that are joined to it. */
static bool is_blank(const struct table *t, size_t c)
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
		blank[c] = table_is_joined(t, c) ? blank[c - 1] : is_blank(t, c);
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
