/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as HTML, for the page of host/report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/lib/table.h"

static void html_head(FILE *f, const struct table_column *c)
{
	size_t first = strcspn(c->head, "\n");

	fputs(c->flags & TABLE_RIGHT ? "<th scope=col class=n>" : "<th scope=col>", f);
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
static bool is_blank(const struct table *t, size_t c)
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
		blank[c] = !table_is_joined(t, c) && is_blank(t, c);
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr>", f);
	for (size_t c = 0; c < t->n_columns; c++)
		if (!table_is_joined(t, c) && !blank[c])
			html_head(f, &t->columns[c]);
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
