/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's table of all round trips, and why some are missing. */
#include <stdlib.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/report/report.h"
#include "host/report/run_table.h"

bool report_figures(FILE *f, const struct report *r)
{
	char **heads = calloc(r->in.n_docs + 1, sizeof(*heads));
	struct run_table m;
	bool any;

	if (!heads)
		abort();
	for (size_t d = 0; d < r->in.n_docs; d++)
		heads[d] = plot_label(&r->in, r->in.docs[d]);
	run_table_build(&m, r->in.docs, r->in.n_docs, (const char *const *)heads,
			"\u00b1");
	any = m.table.n_rows;
	fputs("<p>From before the operation to after it, by the guest's clock, less what "
	      "reading the clock costs; \u00b1 half of the confidence interval. "
	      "Columns of different units do not compare.</p>\n",
	      f);
	table_html(f, &m.table);
	if (m.table.n_notes)
		fputs("<ol>\n", f);
	for (size_t i = 0; i < m.table.n_notes; i++) {
		html_tag(f, "li", "%s", m.table.notes[i]);
		fputc('\n', f);
	}
	if (m.table.n_notes)
		fputs("</ol>\n", f);
	run_table_free(&m);
	for (size_t d = 0; d < r->in.n_docs; d++)
		free(heads[d]);
	free(heads);
	return any;
}
