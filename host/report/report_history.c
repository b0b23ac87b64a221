/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The changes that a history shows, place by place. */
#include <math.h>

#include "host/history/history.h"
#include "host/lib/html.h"
#include "host/report/report.h"

static size_t count_changes(const struct history *h, size_t place)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_series; i++)
		n += h->series[i].place == place ? h->series[i].n_changes : 0;
	return n;
}

static void print_run(FILE *f, const struct history_run *run)
{
	fputs("<td>", f);
	html_text(f, run->kernel ? run->kernel : "no kernel");
	if (run->label)
		html_format(f, " (%s)", run->label);
	if (run->commit)
		html_format(f, " %.12s", run->commit);
	html_tag(f, "small", " %s", run->time);
	fputs("</td>", f);
}

static void print_change(FILE *f, const struct history *h, const struct history_series *s,
			 size_t k)
{
	static const char *const marks[] = {
		[HISTORY_WORSE] = "\u25b2",
		[HISTORY_BETTER] = "\u25bc",
		[HISTORY_CHANGED] = "\u25c6",
	};
	const struct changepoint *c = &s->changes[k];
	enum history_kind kind = history_kind(s, k);
	bool exact = h->places[s->place].exact;

	fputs("<tr><th scope=row>", f);
	html_format(f, "%s", s->benchmark);
	html_tag(f, "small", " [%s]", s->config);
	fprintf(f, "</th><td class=\"v %s\">%s %s</td>", history_kind_name(kind),
		marks[kind], history_kind_name(kind));
	report_number(f, c->before, exact, false);
	report_number(f, c->after, exact, false);
	html_tag(f, "td", "%s", s->unit);
	if (c->before > 0)
		fprintf(f, "<td class=n data-v=\"%.17g\">%.5g</td>", c->after / c->before,
			c->after / c->before);
	else
		fputs("<td class=n></td>", f);
	print_run(f, history_new_run(h, s, k));
	print_run(f, history_old_run(h, s, k));
	fputs("</tr>\n", f);
}

static void print_place(FILE *f, const struct history *h, size_t place)
{
	const struct history_place *p = &h->places[place];
	size_t n = count_changes(h, place);

	html_tag(f, "h3", "%s", p->target);
	html_tag(f, "p", "%zu runs%s%s; %zu changes.", p->n_runs, p->what ? ", " : "",
		 p->what ? p->what : "", n);
	if (!n)
		return;
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr><th "
	      "scope=col>benchmark</th><th scope=col>verdict</th><th scope=col "
	      "class=n>before</th><th scope=col class=n>after</th><th "
	      "scope=col>unit</th><th scope=col class=n>ratio</th><th "
	      "scope=col>with run</th><th scope=col>after "
	      "run</th></tr></thead>\n<tbody>\n",
	      f);
	for (size_t i = 0; i < h->n_series; i++)
		for (size_t k = 0;
		     h->series[i].place == place && k < h->series[i].n_changes; k++)
			print_change(f, h, &h->series[i], k);
	fputs("</tbody></table></div>\n", f);
}

bool report_history(FILE *f, const struct report *r)
{
	const struct history *h = r->in.history;

	for (size_t place = 0; h && place < h->n_places; place++)
		print_place(f, h, place);
	return h && h->n_places;
}
