/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The figures of the report: summary, round trips, the guest's own counter. */
#include "host/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/lib/table.h"
#include "host/report/run_table.h"
#include "host/result/result.h"

struct tally {
	size_t status[3], boots, rejected;
};

static struct tally tally_of(const struct result *doc)
{
	struct tally t = { { 0 }, 0, 0 };

	for (size_t i = 0; i < doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &doc->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, "round_trip");

		t.status[b->status]++;
		for (size_t k = 0; m && k < m->n_boots; k++) {
			t.boots++;
			t.rejected += !m->boots[k].valid;
		}
	}
	return t;
}

static void print_tags(FILE *f, const struct result *doc)
{
	fputs("<p>", f);
	html_tag(f, "span class=tag", "%s",
		 doc->target.exact ? "exact: no noise" : "noisy");
	html_tag(f, "span class=tag", "%s", doc->clock.unit);
	if (doc->target.hypervisor && !strcmp(doc->target.hypervisor, "software"))
		html_tag(f, "span class=tag", "software KVM: not a figure to quote");
	if (result_failure(doc))
		html_tag(f, "span class=tag", "failed: incomplete");
	else if (doc->run.partial)
		html_tag(f, "span class=tag", "interrupted: incomplete");
	if (doc->tuned)
		html_tag(f, "span class=tag", "machine tuned");
	fputs("</p>", f);
}

static void print_counts(FILE *f, const struct result *doc)
{
	struct tally t = tally_of(doc);

	html_tag(f, "p", "%zu measured, %zu skipped, %zu failed; %zu boot%s%s",
		 t.status[RESULT_OK], t.status[RESULT_SKIP], t.status[RESULT_FAIL],
		 t.boots, t.boots == 1 ? "" : "s", t.rejected ? "," : ".");
	if (t.rejected)
		html_tag(f, "p", "%zu of them rejected.", t.rejected);
}

static void print_subject(FILE *f, const struct result *doc)
{
	const char *failure = result_failure(doc);

	if (failure)
		html_tag(f, "p class=worse", "The target failed: %s", failure);
	if (failure && !result_count(doc, RESULT_OK))
		return;
	fputs("<p>", f);
	if (doc->subject.kernel)
		html_format(f, "Linux %s", doc->subject.kernel);
	else
		fputs("No hypervisor", f);
	if (doc->subject.label)
		html_format(f, " (%s)", doc->subject.label);
	if (doc->subject.commit)
		html_format(f, ", commit %s", doc->subject.commit);
	if (doc->target.hypervisor)
		html_format(f, ", KVM %s", doc->target.hypervisor);
	if (doc->target.emulator)
		html_format(f, "; %s", doc->target.emulator);
	else if (doc->machine.cpu_model)
		html_format(f, "; %s", doc->machine.cpu_model);
	fputs("</p>", f);
}

/* The outcome of the comparison with the first document of the target. */
static void print_outcome(FILE *f, const struct report *r, const struct result *doc)
{
	for (size_t i = 0; i < r->n_changes; i++) {
		const struct report_change *change = &r->changes[i];

		if (change->new != doc || change->config[0])
			continue;
		fputs("<p><a href=\"#changes\">Since ", f);
		report_label(f, r, change->base);
		fputs("</a>: ", f);
		if (change->compare)
			report_outcome(f, change->compare);
		else
			fputs("not comparable", f);
		fputs(".</p>", f);
	}
}

bool report_summary(FILE *f, const struct report *r)
{
	if (!r->in.n_docs)
		return false;
	fputs("<div class=cards>\n", f);
	for (size_t d = 0; d < r->in.n_docs; d++) {
		const struct result *doc = r->in.docs[d];

		fputs("<div class=card><h3>", f);
		report_label(f, r, doc);
		fputs("</h3>", f);
		print_tags(f, doc);
		print_subject(f, doc);
		print_counts(f, doc);
		print_outcome(f, r, doc);
		fputs("<p class=soft>", f);
		html_format(f, "%s", doc->run.started);
		fputs("</p></div>\n", f);
	}
	fputs("</div>\n", f);
	return true;
}

/* The documents of one unit and one architecture share a table, which fits a page. */
static bool print_group(FILE *f, const struct report *r, const struct result *const *docs,
			size_t n)
{
	char **heads = calloc(n + 1, sizeof(*heads));
	struct run_table m;
	size_t differ;
	bool any;

	if (!heads)
		abort();
	for (size_t d = 0; d < n; d++)
		heads[d] = plot_label(&r->in, docs[d]);
	run_table_build(&m, docs, n, (const char *const *)heads, "\u00b1");
	any = m.table.n_rows;
	if (any && n < r->in.n_docs)
		html_tag(f, "h3", "%s, %s", plot_arch(docs[0]),
			 plot_unit_words(docs[0]->clock.unit));
	differ = run_table_differing_first(&m);
	if (differ && differ < m.table.n_rows)
		html_tag(f, "p", "%zu of %zu rows differ and come first.", differ,
			 m.table.n_rows);
	if (any)
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
	for (size_t d = 0; d < n; d++)
		free(heads[d]);
	free(heads);
	return any;
}

static bool is_together(const struct result *a, const struct result *b)
{
	return !strcmp(a->clock.unit, b->clock.unit) &&
	       !strcmp(plot_arch(a), plot_arch(b));
}

bool report_figures(FILE *f, const struct report *r)
{
	const struct result **docs = calloc(r->in.n_docs + 1, sizeof(*docs));
	bool *printed = calloc(r->in.n_docs + 1, sizeof(*printed)), any = false;

	if (!docs || !printed)
		abort();
	fputs("<p>From before the operation to after it, by the guest's clock, less what "
	      "reading the clock costs; \u00b1 half of the confidence interval. "
	      "Instructions and ticks do not compare.</p>\n",
	      f);
	for (size_t d = 0; d < r->in.n_docs; d++) {
		size_t n = 0;

		for (size_t k = d; k < r->in.n_docs && !printed[d]; k++)
			if (is_together(r->in.docs[d], r->in.docs[k]))
				docs[n++] = r->in.docs[k];
		for (size_t k = d; k < r->in.n_docs; k++)
			printed[k] |= is_together(r->in.docs[d], r->in.docs[k]);
		if (n)
			any |= print_group(f, r, docs, n);
	}
	free(docs);
	free(printed);
	return any;
}

static double value_of(const struct result_benchmark *b, const char *name)
{
	const struct result_metric *m = result_find_metric(b, name);

	return m ? m->value : NAN;
}

static bool print_visible(FILE *f, const struct report *r, const struct result *doc)
{
	char trip[64], hidden[64];
	const struct table_column columns[] = {
		{ "benchmark", TABLE_KEY, 0, NULL },
		{ "config", 0, 0, NULL },
		{ trip, TABLE_RIGHT, 0, NULL },
		{ "visible", TABLE_RIGHT, 0, NULL },
		{ "unit", 0, 0, NULL },
		{ hidden, TABLE_RIGHT, 0, NULL },
	};
	bool exact = doc->target.exact, any;
	struct table t;

	snprintf(trip, sizeof(trip), "round trip\n%.40s", doc->clock.unit);
	snprintf(hidden, sizeof(hidden), "hidden\n%.40s", doc->clock.unit);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &doc->benchmarks[i];

		if (b->status != RESULT_OK || isnan(value_of(b, "pmc_visible")))
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", b->name);
		table_cell(&t, 1, "%s", b->config);
		table_number(&t, 2, value_of(b, "round_trip"), exact, false);
		table_number(&t, 3, value_of(b, "pmc_visible"), exact, false);
		table_cell(&t, 4, "%s", result_find_metric(b, "pmc_visible")->unit);
		table_number(&t, 5, value_of(b, "pmc_hidden"), exact, false);
	}
	any = t.n_rows;
	if (any) {
		fputs("<h3>", f);
		report_label(f, r, doc);
		fputs("</h3>\n", f);
		table_html(f, &t);
	}
	table_free(&t);
	return any;
}

bool report_floor(FILE *f, const struct report *r)
{
	struct floor rows;
	struct table t;

	floor_collect(&rows, &r->in);
	if (rows.n) {
		fputs("<p>The floor is what the least hypervisor, a few instructions, pays "
		      "for an exit on the bare machine. Nested: the same hypervisor in a VM "
		      "of KVM, and its guest exits; traps are the exits to KVM that this "
		      "takes.</p>\n",
		      f);
		floor_table(&t, &rows, &r->in, NULL);
		table_html(f, &t);
		table_free(&t);
	}
	floor_free(&rows);
	return rows.n;
}

bool report_visible(FILE *f, const struct report *r)
{
	bool any = false;

	fputs("<p>An emulated PMU stops while the host runs: of a round trip, the "
	      "guest's cycle counter sees what is called visible; the rest, which the guest's "
	      "clock sees, is hidden from it. The two are measured in a pass of their own, "
	      "with the counter running, for which KVM does more at an exit: together they "
	      "can exceed the round trip.</p>\n",
	      f);
	for (size_t d = 0; d < r->in.n_docs; d++)
		any |= print_visible(f, r, r->in.docs[d]);
	return any;
}
