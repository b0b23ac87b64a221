/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's table of all round trips, and why some are missing. */
#include <math.h>
#include <string.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/report/report.h"
#include "host/report/table_model.h"

static void print_heads(FILE *f, const struct report *r)
{
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr><th "
	      "scope=col>benchmark</th><th scope=col>handled by</th>",
	      f);
	for (size_t d = 0; d < r->in.n_docs; d++) {
		fputs("<th scope=col class=n>", f);
		report_label(f, r, r->in.docs[d]);
		html_tag(f, "small", " %s", r->in.docs[d]->clock.unit);
		fputs("</th>", f);
	}
	fputs("</tr></thead>\n<tbody>\n", f);
}

static void print_cell(FILE *f, const struct table_cell *cell)
{
	if (!isnan(cell->value))
		fprintf(f, "<td class=n data-v=\"%.17g\">", cell->value);
	else
		fputs("<td class=n>", f);
	html_tag(f, cell->failed ? "span class=worse" : "span", "%s", cell->number);
	if (*cell->tail)
		html_tag(f, "small", " %s", cell->tail);
	if (*cell->mark)
		html_tag(f, "small", " %s", cell->mark);
	fputs("</td>", f);
}

bool report_figures(FILE *f, const struct report *r)
{
	struct table_model m;
	bool any;

	if (!r->in.n_docs)
		return false;
	table_model_build(&m, r->in.docs, r->in.n_docs, "\u00b1");
	any = m.rows.n;
	fputs("<p>From before the operation to after it, by the guest's clock, less what "
	      "reading the clock costs; \u00b1 half of the confidence interval. "
	      "Columns of different units do not compare.</p>\n",
	      f);
	print_heads(f, r);
	for (size_t i = 0; i < m.rows.n; i++) {
		fputs("<tr>", f);
		html_tag(f, "th scope=row", "%s", m.lines[i].label);
		html_tag(f, "td", "%s", m.lines[i].handled);
		for (size_t d = 0; d < r->in.n_docs; d++)
			print_cell(f, &m.lines[i].cells[d]);
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div>\n", f);
	if (m.n_notes)
		fputs("<ol>\n", f);
	for (size_t i = 0; i < m.n_notes; i++) {
		html_tag(f, "li", "%s", m.notes[i]);
		fputc('\n', f);
	}
	if (m.n_notes)
		fputs("</ol>\n", f);
	table_model_free(&m);
	return any;
}
