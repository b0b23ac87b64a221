/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's section about explanations: where the instructions are. */
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/lib/html.h"
#include "host/lib/number.h"
#include "host/report/report.h"

/* Of each explanation's functions; the rest is in its document, and in the picture. */
#define FUNCTIONS_MOST 20

static void print_number(FILE *f, uint64_t insns)
{
	char text[NUMBER_BYTES];

	number_format(text, (double)insns, true);
	fprintf(f, "<td class=n data-v=%llu>%s</td>", (unsigned long long)insns, text);
}

static void print_functions(FILE *f, const struct explanation *e)
{
	uint64_t rest = 0;

	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr><th "
	      "scope=col>function</th><th scope=col>layer</th><th scope=col class=n>"
	      "instructions</th></tr></thead>\n<tbody>\n",
	      f);
	for (size_t i = 0; i < e->n_functions; i++) {
		const struct explanation_function *fn = &e->functions[i];

		if (i >= FUNCTIONS_MOST) {
			rest += fn->insns;
			continue;
		}
		fputs("<tr>", f);
		html_tag(f, "th scope=row", "%s", fn->name);
		html_tag(f, "td", "%s", fn->layer);
		print_number(f, fn->insns);
		fputs("</tr>\n", f);
	}
	if (rest) {
		fputs("<tr>", f);
		html_tag(f, "th scope=row", "%zu more", e->n_functions - FUNCTIONS_MOST);
		fputs("<td></td>", f);
		print_number(f, rest);
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div>\n", f);
}

static void print_one(FILE *f, const struct explanation *e)
{
	html_tag(f, "h3", "%s%s%s%s on %s, %s", e->benchmark,
		 strcmp(e->config, "default") ? " [" : "",
		 strcmp(e->config, "default") ? e->config : "",
		 strcmp(e->config, "default") ? "]" : "", e->target.name,
		 e->subject.kernel ? e->subject.kernel : "a kernel without a name");
	fputs("<figure>", f);
	flame_draw(f, e, NULL);
	fputs("</figure>\n", f);
	print_functions(f, e);
}

bool report_explanations(FILE *f, const struct report *r)
{
	if (!r->n_explanations)
		return false;
	fputs("<p>The functions that the instructions of one event are in. A box is as "
	      "wide as what is spent in a function and in all that it calls, and stands "
	      "on its caller; from left to right the order is by width.</p>\n",
	      f);
	for (size_t i = 0; i < r->n_explanations; i++)
		print_one(f, r->explanations[i]);
	return true;
}
