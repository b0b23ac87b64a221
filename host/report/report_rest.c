/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Missing figures, warnings, machines, and how to read the report. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/lib/table.h"
#include "host/report/report.h"

bool report_missing(FILE *f, const struct report *r)
{
	static const struct table_column columns[] = {
		{ "benchmark", TABLE_KEY, 0, NULL },
		{ "target", 0, 0, NULL },
		{ "config", 0, 0, NULL },
		{ "status", 0, 0, NULL },
		{ "reason", 0, 0, NULL },
	};
	struct table t;
	bool any;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t d = 0; d < r->in.n_docs; d++) {
		char *label = plot_label(&r->in, r->in.docs[d]);

		for (size_t i = 0; i < r->in.docs[d]->n_benchmarks; i++) {
			const struct result_benchmark *b = &r->in.docs[d]->benchmarks[i];
			bool failed = b->status == RESULT_FAIL;

			if (b->status == RESULT_OK)
				continue;
			table_row(&t, TABLE_PLAIN);
			table_cell(&t, 0, "%s", b->name);
			table_cell(&t, 1, "%s", label);
			table_cell(&t, 2, "%s", b->config);
			table_cell(&t, 3, "%s", failed ? "failed" : "skipped");
			table_cell_color(&t, 3, failed ? TABLE_RED : TABLE_PLAIN);
			table_cell(&t, 4, "%s",
				   b->reason ? b->reason
					     : "the document gives no reason");
		}
		free(label);
	}
	any = t.n_rows;
	if (any) {
		fputs("<p>Skipped is not zero: the row could not run here, for the reason given. "
		      "Failed: the row ran, and crashed or did not exit as often as it claims.</p>\n",
		      f);
		table_html(f, &t);
	}
	table_free(&t);
	return any;
}

static size_t count_status(const struct report *r, enum result_status status)
{
	size_t n = 0;

	for (size_t d = 0; d < r->in.n_docs; d++)
		n += result_count(r->in.docs[d], status);
	return n;
}

void report_found_missing(FILE *f, const struct report *r)
{
	size_t failed = count_status(r, RESULT_FAIL),
	       skipped = count_status(r, RESULT_SKIP);

	if (failed)
		fprintf(f,
			"<li><a href=\"#missing\"><span class=worse>%zu failed</span></a></li>\n",
			failed);
	if (skipped)
		fprintf(f,
			"<li><a href=\"#missing\">%zu skipped</a>, with the reason</li>\n",
			skipped);
}

void report_found_warnings(FILE *f, const struct report *r)
{
	size_t n = 0;

	for (size_t d = 0; d < r->in.n_docs; d++)
		n += r->in.docs[d]->n_warnings;
	fprintf(f,
		"<li><a href=\"#warnings\">%zu warning%s</a> about the measurement</li>\n",
		n, n == 1 ? "" : "s");
}

bool report_warnings(FILE *f, const struct report *r)
{
	size_t n = 0;

	fputs("<p>Read these before you trust the figures.</p>\n<ul>\n", f);
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
	static const struct table_column columns[] = {
		{ "setting", TABLE_KEY, 0, NULL },
		{ "value", 0, 0, NULL },
		{ "expected", 0, 0, NULL },
		{ "status", 0, 0, NULL },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < doc->n_checks; i++) {
		const struct result_check *c = &doc->checks[i];

		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", c->id);
		table_cell(&t, 1, "%s", c->value ? c->value : "unknown");
		table_cell(&t, 2, "%s", c->expected ? c->expected : "");
		table_cell(&t, 3, "%s", c->status);
		table_cell_color(&t, 3,
				 strcmp(c->status, "warn") ? TABLE_PLAIN : TABLE_RED);
	}
	if (t.n_rows)
		table_html(f, &t);
	table_free(&t);
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
	      "space), fault (the guest took an exception), unknown (KVM does not report it). A "
	      "benchmark whose exits are not those that it claims has failed.</dd>\n"
	      "<dt>The lab says</dt><dd>whether a patch made the path longer, and by how "
	      "many instructions. Only hardware says how many nanoseconds.</dd>\n"
	      "<dt>A software KVM</dt><dd>has no hardware behind it: good for trying the "
	      "program, meaningless as a figure.</dd>\n"
	      "<dt>Verdicts</dt><dd>worse and better: significant, and larger than the "
	      "threshold. same: certainly smaller than the threshold. inconclusive: the "
	      "noise allows neither verdict. On an exact target every difference "
	      "counts, but where boots differ: ranges over the boots that meet are "
	      "the same (placement). changed: another class of operation (who handles "
	      "it, exits per event, an exception instead of a value), so the figures "
	      "are not costs of the same operation.</dd>\n"
	      "<dt>difference, shift</dt><dd>The difference of the two figures that are "
	      "shown, and the Hodges-Lehmann shift of the boots, "
	      "or of their pairs. Verdicts on noisy targets depend on the "
	      "shift.</dd>\n</dl>\n",
	      f);
	return true;
}
