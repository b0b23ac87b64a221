/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of each round trip, what the guest's own cycle counter saw and what it did not. */
#include <math.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/report/report.h"

static double value_of(const struct result_benchmark *b, const char *name)
{
	const struct result_metric *m = result_find_metric(b, name);

	return m ? m->value : NAN;
}

static bool has_visible(const struct result_benchmark *b)
{
	return b->status == RESULT_OK && !isnan(value_of(b, "pmc_visible"));
}

static void print_row(FILE *f, const struct result *doc, const struct result_benchmark *b)
{
	const struct result_metric *visible = result_find_metric(b, "pmc_visible");
	bool exact = doc->target.exact;

	fputs("<tr>", f);
	html_tag(f, "th scope=row", "%s", b->name);
	html_tag(f, "td", "%s", b->config);
	report_number(f, value_of(b, "round_trip"), exact, false);
	report_number(f, visible->value, exact, false);
	html_tag(f, "td", "%s", visible->unit);
	report_number(f, value_of(b, "pmc_hidden"), exact, false);
	fputs("</tr>\n", f);
}

static bool write_document(FILE *f, const struct report *r, const struct result *doc)
{
	size_t n = 0;

	for (size_t i = 0; i < doc->n_benchmarks; i++)
		n += has_visible(&doc->benchmarks[i]);
	if (!n)
		return false;
	fputs("<h3>", f);
	report_label(f, r, doc);
	fputs("</h3>\n<div class=scroll tabindex=0><table class=sort>\n<thead><tr><th "
	      "scope=col>benchmark</th><th scope=col>config</th><th scope=col "
	      "class=n>round trip",
	      f);
	html_tag(f, "small", " %s", doc->clock.unit);
	fputs("</th><th scope=col class=n>visible</th><th scope=col>of unit</th><th "
	      "scope=col class=n>hidden",
	      f);
	html_tag(f, "small", " %s", doc->clock.unit);
	fputs("</th></tr></thead>\n<tbody>\n", f);
	for (size_t i = 0; i < doc->n_benchmarks; i++)
		if (has_visible(&doc->benchmarks[i]))
			print_row(f, doc, &doc->benchmarks[i]);
	fputs("</tbody></table></div>\n", f);
	return true;
}

bool report_visible(FILE *f, const struct report *r)
{
	bool any = false;

	fputs("<p>An emulated PMU stops while the host runs: of a round trip, the "
	      "guest's "
	      "cycle counter sees what is called visible; the rest, which the guest's "
	      "clock sees, is hidden from it. Each has its own events, so the two need "
	      "not add up to the round trip.</p>\n",
	      f);
	for (size_t d = 0; d < r->in.n_docs; d++)
		any |= write_document(f, r, r->in.docs[d]);
	return any;
}
