/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's summary: a card per document. */
#include <string.h>

#include "host/lib/interrupt.h"
#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/report/report.h"

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
		html_tag(f, "span class=tag", "failed: not all of it is here");
	else if (doc->run.partial)
		html_tag(f, "span class=tag", "interrupted: not all of it is here");
	if (doc->tuned)
		html_tag(f, "span class=tag", "machine tuned");
	fputs("</p>", f);
}

static void print_counts(FILE *f, const struct result *doc)
{
	struct tally t = tally_of(doc);

	html_tag(f, "p", "%zu measured, %zu skipped, %zu failed; %zu boots%s",
		 t.status[RESULT_OK], t.status[RESULT_SKIP], t.status[RESULT_FAIL],
		 t.boots, t.rejected ? "," : ".");
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

/* What came of comparing it with the first of its target. */
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
			fputs("they cannot be compared", f);
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
