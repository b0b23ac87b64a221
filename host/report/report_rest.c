/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report says beside the figures: what is missing, warnings, machines. */
#include <inttypes.h>
#include <string.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/report/report.h"

static void print_missing(FILE *f, const struct report *r, const struct result *doc)
{
	for (size_t i = 0; i < doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &doc->benchmarks[i];

		if (b->status == RESULT_OK)
			continue;
		fputs("<tr><td>", f);
		report_label(f, r, doc);
		fputs("</td>", f);
		html_tag(f, "th scope=row", "%s", b->name);
		html_tag(f, "td", "%s", b->config);
		html_tag(f, b->status == RESULT_FAIL ? "td class=worse" : "td", "%s",
			 b->status == RESULT_FAIL ? "failed" : "skipped");
		html_tag(f, "td", "%s",
			 b->reason ? b->reason : "the document gives no reason");
		fputs("</tr>\n", f);
	}
}

bool report_missing(FILE *f, const struct report *r)
{
	size_t n = 0;

	for (size_t d = 0; d < r->in.n_docs; d++)
		for (size_t i = 0; i < r->in.docs[d]->n_benchmarks; i++)
			n += r->in.docs[d]->benchmarks[i].status != RESULT_OK;
	if (!n)
		return false;
	fputs("<p>Skipped is not zero: what could not run here, and why. Failed: it ran, "
	      "and broke or did not exit as often as it claims to.</p>\n"
	      "<div class=scroll tabindex=0><table class=sort>\n<thead><tr><th "
	      "scope=col>target</th><th scope=col>benchmark</th><th "
	      "scope=col>config</th><th scope=col>status</th><th scope=col>reason</th>"
	      "</tr></thead>\n<tbody>\n",
	      f);
	for (size_t d = 0; d < r->in.n_docs; d++)
		print_missing(f, r, r->in.docs[d]);
	fputs("</tbody></table></div>\n", f);
	return true;
}

bool report_warnings(FILE *f, const struct report *r)
{
	size_t n = 0;

	fputs("<p>What to know before trusting the figures.</p>\n<ul>\n", f);
	for (size_t d = 0; d < r->in.n_docs; d++)
		for (size_t i = 0; i < r->in.docs[d]->n_warnings; i++, n++) {
			fputs("<li>", f);
			report_label(f, r, r->in.docs[d]);
			html_format(f, ": %s", r->in.docs[d]->warnings[i].message);
			fputs("</li>\n", f);
		}
	fputs("</ul>\n", f);
	return n;
}

static void print_fact(FILE *f, const char *name, const char *value)
{
	if (value)
		html_tag(f, "p", "%s: %s", name, value);
}

static void print_run(FILE *f, const struct result *doc)
{
	print_fact(f, "CPU", doc->machine.cpu_model);
	print_fact(f, "Microcode", doc->machine.microcode);
	print_fact(f, "Fingerprint", doc->machine.fingerprint);
	html_tag(f, "p", "Architecture: %s, %" PRIu32 " CPUs, vCPU %s", doc->machine.arch,
		 doc->machine.cpus, doc->machine.pinned < 0 ? "not pinned" : "pinned");
	html_tag(f, "p", "Program: wsbench %s%s%s%s", doc->run.tool_version,
		 doc->run.tool_commit ? ", commit " : "",
		 doc->run.tool_commit ? doc->run.tool_commit : "",
		 doc->run.tool_dirty ? ", modified" : "");
	html_tag(f, "p", "Seed: %" PRIu64, doc->run.seed);
	fputs("<p>Command: <code>", f);
	for (size_t i = 0; i < doc->run.n_argv; i++)
		html_format(f, "%s%s", i ? " " : "", doc->run.argv[i]);
	fputs("</code></p>\n", f);
}

static void print_checks(FILE *f, const struct result *doc)
{
	if (!doc->n_checks)
		return;
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr><th "
	      "scope=col>setting</th><th scope=col>value</th><th scope=col>expected</th>"
	      "<th scope=col>status</th></tr></thead>\n<tbody>\n",
	      f);
	for (size_t i = 0; i < doc->n_checks; i++) {
		const struct result_check *c = &doc->checks[i];

		fputs("<tr>", f);
		html_tag(f, "th scope=row", "%s", c->id);
		html_tag(f, "td", "%s", c->value ? c->value : "unknown");
		html_tag(f, "td", "%s", c->expected ? c->expected : "");
		html_tag(f, strcmp(c->status, "warn") != 0 ? "td" : "td class=worse",
			 "%s", c->status);
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div>\n", f);
}

bool report_environment(FILE *f, const struct report *r)
{
	for (size_t d = 0; d < r->in.n_docs; d++) {
		size_t warn = 0;

		for (size_t i = 0; i < r->in.docs[d]->n_checks; i++)
			warn += !strcmp(r->in.docs[d]->checks[i].status, "warn");
		fputs("<details><summary>", f);
		report_label(f, r, r->in.docs[d]);
		html_format(f, ": %zu of %zu settings disturb a measurement", warn,
			    r->in.docs[d]->n_checks);
		fputs("</summary>\n", f);
		print_run(f, r->in.docs[d]);
		print_checks(f, r->in.docs[d]);
		fputs("</details>\n", f);
	}
	return r->in.n_docs;
}

bool report_reading(FILE *f, const struct report *r)
{
	(void)r;
	fputs("<dl>\n<dt>insns</dt><dd>Instructions that guest, KVM and VMM executed: "
	      "the "
	      "length of the path. Exact and repeatable, and not time: an emulated "
	      "machine models no caches, no TLBs, no branch prediction, and not what "
	      "entering and leaving a guest costs in silicon.</dd>\n"
	      "<dt>ticks</dt><dd>Steps of the guest's clock (TSC, CNTVCT_EL0): time, at "
	      "the clock's rate; not CPU cycles.</dd>\n"
	      "<dt>Never compare</dt><dd>insns with ticks, one architecture's "
	      "instructions with the other's, or figures of machines whose fingerprints "
	      "differ.</dd>\n"
	      "<dt>handled by</dt><dd>Who handled the exit, as observed: none (no exit), "
	      "kernel (KVM, inside the kernel), user (the VMM, after a return to user "
	      "space), fault (the guest took an exception), unknown (nobody tells). A "
	      "benchmark whose exits are not those that it claims has failed.</dd>\n"
	      "<dt>The lab says</dt><dd>whether a patch made the path longer, and by how "
	      "many instructions. Only hardware says how many nanoseconds.</dd>\n"
	      "<dt>A software KVM</dt><dd>has no hardware behind it: good for trying the "
	      "program, meaningless as a figure.</dd>\n"
	      "<dt>Verdicts</dt><dd>worse and better: significant, and larger than what "
	      "does not matter. same: surely smaller than that. inconclusive: the "
	      "noise does not allow either. On an exact target every difference "
	      "counts, but where boots differ: ranges over the boots that meet are "
	      "the same (placement). changed: another class of operation (who handles "
	      "it, exits per event, an exception instead of a value), so the figures "
	      "are not two costs of one thing.</dd>\n"
	      "<dt>difference, shift</dt><dd>The difference of the two figures that are "
	      "shown, and by how much the boots moved: the median ratio of pairs, or "
	      "the Hodges-Lehmann shift. Verdicts on noisy targets go by the "
	      "shift.</dd>\n</dl>\n",
	      f);
	return true;
}
