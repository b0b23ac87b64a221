/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's comparisons, as tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare.h"
#include "host/result/result.h"
#include "host/report/configs.h"
#include "host/lib/html.h"
#include "host/lib/number.h"
#include "host/report/report.h"

static const char *const marks[COMPARE_VERDICTS] = {
	[COMPARE_WORSE] = "\u25b2",	   /* up */
	[COMPARE_BETTER] = "\u25bc",	   /* down */
	[COMPARE_CHANGED] = "\u25c6",	   /* diamond */
	[COMPARE_INCONCLUSIVE] = "\u25cb", /* open */
	[COMPARE_NONE] = "\u2013",	   /* dash */
	[COMPARE_SAME_PLACEMENT] = "=",	   [COMPARE_SAME] = "=",
};

/* The verdict's class in the style sheet: its name without what is in brackets. */
static int class_chars(const char *word)
{
	return (int)strcspn(word, " ");
}

static void print_heads(FILE *f, const char *base, const char *new, const char *unit)
{
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr>"
	      "<th scope=col>benchmark</th><th scope=col>verdict</th>",
	      f);
	html_tag(f, "th scope=col class=n", "%s", base);
	html_tag(f, "th scope=col class=n", "%s", new);
	fputs("<th scope=col class=n>difference", f);
	html_tag(f, "small", " %s", unit);
	fputs("</th><th scope=col class=n>ratio</th><th scope=col class=n>shift, 95 % "
	      "interval</th></tr></thead>\n<tbody>\n",
	      f);
}

/* Of noisy rows: what the verdict goes by. */
static void print_shift(FILE *f, const struct compare_row *row)
{
	if (isnan(row->shift) || row->level == 1)
		fputs("<td class=n></td>", f);
	else if (isnan(row->lo) || isnan(row->hi))
		fprintf(f, "<td class=n data-v=\"%.17g\">%+.6g</td>", row->shift,
			row->shift);
	else
		fprintf(f, "<td class=n data-v=\"%.17g\">%+.6g (%+.6g to %+.6g)</td>",
			row->shift, row->shift, row->lo, row->hi);
}

/* A range over boots, where its ends are what was compared. */
static void print_figure(FILE *f, const struct compare_row *row,
			 const struct compare_side *side)
{
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	if (row->level != 1 || side->min == side->max) {
		report_number(f, side->value, row->exact, false);
		return;
	}
	number_format(lo, side->min, true);
	number_format(hi, side->max, true);
	fprintf(f, "<td class=n data-v=\"%.17g\">%s to %s</td>", side->value, lo, hi);
}

static void print_row(FILE *f, const struct compare_row *row, bool name_config)
{
	const char *word = compare_verdict_name(row->verdict);

	fputs("<tr><th scope=row>", f);
	html_text(f, row->name);
	if (name_config && row->new.config &&strcmp(row->new.config, "default") != 0)
		html_tag(f, "small", " [%s]", row->new.config);
	fprintf(f, "</th><td class=\"v %.*s\">%s %s</td>", class_chars(word), word,
		marks[row->verdict], word);
	print_figure(f, row, &row->base);
	print_figure(f, row, &row->new);
	report_number(f, row->difference, row->level == 1, true);
	if (isnan(row->ratio))
		fputs("<td class=n></td>", f);
	else
		fprintf(f, "<td class=n data-v=\"%.17g\">%.4g</td>", row->ratio,
			row->ratio);
	print_shift(f, row);
	fputs("</tr>\n", f);
}

void report_outcome(FILE *f, const struct compare *c)
{
	static const enum compare_verdict order[COMPARE_VERDICTS] = {
		COMPARE_WORSE,	      COMPARE_BETTER, COMPARE_CHANGED,
		COMPARE_INCONCLUSIVE, COMPARE_SAME,   COMPARE_SAME_PLACEMENT,
		COMPARE_NONE,
	};
	bool first = true;

	for (size_t i = 0; i < COMPARE_VERDICTS; i++) {
		const char *word = compare_verdict_name(order[i]);

		if (!c->count[order[i]])
			continue;
		fprintf(f, "%s<span class=\"%.*s\">%s %zu %s</span>", first ? "" : ", ",
			class_chars(word), word, marks[order[i]], c->count[order[i]],
			order[i] == COMPARE_NONE ? "not comparable" : word);
		first = false;
	}
	if (c->n_lost)
		html_format(f, "; %zu had a figure before and have none now", c->n_lost);
}

static bool is_same(enum compare_verdict v)
{
	return v == COMPARE_SAME || v == COMPARE_SAME_PLACEMENT;
}

static size_t count_same(const struct compare *c)
{
	return c->count[COMPARE_SAME] + c->count[COMPARE_SAME_PLACEMENT];
}

/* Those that did not change are many, and of little interest: they are named. */
static void print_same(FILE *f, const struct compare *c)
{
	bool first = true;

	if (!count_same(c))
		return;
	fprintf(f, "<details><summary>%zu the same</summary><p>", count_same(c));
	for (size_t i = 0; i < c->n_rows; i++) {
		if (!is_same(c->rows[i].verdict))
			continue;
		html_format(f, "%s%s", first ? "" : ", ", c->rows[i].name);
		first = false;
	}
	fputs("</p></details>\n", f);
}

static void print_reasons(FILE *f, const struct compare *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		n += *c->rows[i].reason != '\0';
	if (!n)
		return;
	fprintf(f, "<details><summary>Remarks on %zu of them</summary><ul>\n", n);
	for (size_t i = 0; i < c->n_rows; i++)
		if (*c->rows[i].reason)
			html_tag(f, "li", "%s: %s", c->rows[i].name, c->rows[i].reason);
	fputs("</ul></details>\n", f);
}

static void print_rows(FILE *f, const struct compare *c, bool all)
{
	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++) {
		if (v == COMPARE_NONE || (is_same(v) && !all))
			continue;
		for (size_t i = 0; i < c->n_rows; i++)
			if (c->rows[i].verdict == v)
				print_row(f, &c->rows[i], c->base != c->new);
	}
}

/* `all`: what did not change, too. */
static void print_change(FILE *f, const struct report_change *change, const char *base,
			 const char *new, bool all)
{
	const struct compare *c = change->compare;
	size_t hidden;

	if (!c) {
		html_tag(f, "p", "They cannot be compared: %s.", change->why);
		return;
	}
	hidden = c->count[COMPARE_NONE] + (all ? 0 : count_same(c));
	fputs("<p>", f);
	report_outcome(f, c);
	fputs(".</p>\n", f);
	if (hidden < c->n_rows) {
		print_heads(f, base, new, c->new->clock.unit);
		print_rows(f, c, all);
		fputs("</tbody></table></div>\n", f);
	}
	if (!all)
		print_same(f, c);
	print_reasons(f, c);
}

static void print_documents(FILE *f, const struct report *r,
			    const struct report_change *change)
{
	char *was = plot_subject(&r->in, change->base);
	char *is = plot_subject(&r->in, change->new);

	html_tag(f, "h3", "%s", change->new->target.name);
	html_tag(f, "p", "From %s; to %s.", was, is);
	free(was);
	free(is);
	was = plot_label(&r->in, change->base);
	is = plot_label(&r->in, change->new);
	print_change(f, change, was, is, false);
	free(was);
	free(is);
}

bool report_changes(FILE *f, const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n_changes; i++) {
		if (r->changes[i].config[0])
			continue;
		print_documents(f, r, &r->changes[i]);
		any = true;
	}
	return any;
}

bool report_configs(FILE *f, const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n_changes; i++) {
		const struct report_change *change = &r->changes[i];
		const char *base = change->config[0], *new = change->config[1];

		if (!base)
			continue;
		fputs("<h3>", f);
		report_label(f, r, change->base);
		html_format(f, ": %s against %s", new, base);
		fputs("</h3>\n", f);
		html_tag(f, "p", "%s: %s. %s: %s.", base, configs_summary(base), new,
			 configs_summary(new));
		print_change(f, change, base, new, true);
		any = true;
	}
	return any;
}
