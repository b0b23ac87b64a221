/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text below the table of result documents: legend, machines, notes, warnings. */
#include "host/report/run_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/result/result.h"

#define INDENT 2

struct foot {
	FILE *f;
	const struct run_table *m;
	size_t columns; /* the width of a paragraph */
	bool utf8;
};

static void paragraph(const struct foot *t, const char *text)
{
	text_wrap(t->f, text, 0, INDENT, t->columns);
}

#define HANDLED_BY                                                                       \
	"handled by: none = no exit; kernel = KVM, inside the kernel; user = the VMM, "  \
	"after a return to user space; fault = the guest took an exception"

static bool any_unit(const struct run_table *m, const char *unit)
{
	for (size_t d = 0; d < m->n_docs; d++)
		if (m->docs[d]->clock.unit && !strcmp(m->docs[d]->clock.unit, unit))
			return true;
	return false;
}

static void print_legend(const struct foot *t)
{
	bool insns = any_unit(t->m, "insns"), ticks = any_unit(t->m, "ticks");

	if (insns)
		paragraph(t, "insns: instructions that guest and host executed from "
			     "before the "
			     "operation to after it; the length of the path, not time.");
	if (ticks)
		paragraph(t, "ticks: steps of the guest's clock during the operation; "
			     "time, at "
			     "the rate given below, not CPU cycles.");
	if (insns && ticks)
		paragraph(t, "Never compare insns with ticks.");
	paragraph(t, t->m->unobserved ? HANDLED_BY "; - = the row was not measured."
				      : HANDLED_BY ".");
	if (t->m->marks)
		paragraph(
			t,
			"A word after a number: the handler of this figure, or its unit, "
			"where that differs from the row's.");
	if (t->m->traps)
		paragraph(
			t,
			"n traps: exits of one event to the KVM whose guest is a hypervisor.");
	if (t->m->intervals)
		paragraph(
			t,
			t->utf8 ? "\u00b1: half of the estimate's confidence interval; (a to b): an interval that is not symmetric."
				: "+-: half of the estimate's confidence interval; (a to b): an interval that is not symmetric.");
	if (t->m->ranges)
		paragraph(t, "a to b: boots of an exact target that differ, because the "
			     "path in the kernel depends on the addresses of its data.");
	if (t->m->compares)
		paragraph(
			t,
			"+n (rx): difference and ratio to the benchmark's first config, of ranges "
			"those of the nearest ends; wsbench compare FILE --config A,B judges the significance.");
	if (t->m->absent)
		paragraph(t,
			  "-: not part of that run; the architecture may not have it.");
	fputc('\n', t->f);
}

/* The boots and events of the benchmark that has most of them, and all boots. */
struct effort {
	size_t boots, all, rejected;
	uint64_t events;
};

static struct effort effort_of(const struct result *r)
{
	struct effort e = { 0 };

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_metric *m;

		m = result_find_metric(&r->benchmarks[i], "round_trip");
		if (!m)
			continue;
		e.all += m->n_boots;
		e.boots = m->n_boots > e.boots ? m->n_boots : e.boots;
		for (size_t k = 0; k < m->n_boots; k++) {
			e.rejected += !m->boots[k].valid;
			if (m->boots[k].summary.n > e.events)
				e.events = m->boots[k].summary.n;
		}
	}
	return e;
}

static void describe_clock(FILE *f, const struct result_clock *c)
{
	char cost[NUMBER_BYTES];

	fprintf(f, "; %s", c->name ? c->name : "clock");
	if (c->hz >= 1000000000)
		fprintf(f, " %.4g GHz", (double)c->hz / 1e9);
	else if (c->hz)
		fprintf(f, " %.4g MHz", (double)c->hz / 1e6);
	else
		fputs(" of unknown rate", f);
	if (!isnan(c->overhead_median)) {
		number_format(cost, c->overhead_median, true);
		fprintf(f, ", cost of reading it (%s) subtracted", cost);
	}
}

static void describe_effort(FILE *f, const struct result *r)
{
	struct effort e = effort_of(r);
	char events[NUMBER_BYTES];

	number_format(events, (double)e.events, false);
	if (e.boots)
		fprintf(f, "; %zu boot%s x %s%s events", e.boots, e.boots == 1 ? "" : "s",
			r->target.exact ? "up to " : "", events);
	if (e.rejected)
		fprintf(f, " (%zu of all %zu boots rejected)", e.rejected, e.all);
	fputs(r->target.exact ? "; exact: no noise" : "; noisy", f);
	if (result_failure(r))
		fputs("; FAILED: incomplete", f);
	else if (r->run.partial)
		fputs("; INTERRUPTED: incomplete", f);
}

static char *describe(const struct result *r)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	/* A target that did not start has no other facts. */
	if (result_failure(r) && !result_count(r, RESULT_OK)) {
		fputs("FAILED: nothing was measured", f);
		if (fclose(f))
			abort();
		return text;
	}
	if (r->subject.kernel)
		fprintf(f, "Linux %s", r->subject.kernel);
	else
		fputs("no kernel", f);
	if (r->subject.kernel_below)
		fprintf(f, " in a guest of Linux %s", r->subject.kernel_below);
	if (r->subject.label)
		fprintf(f, " (%s)", r->subject.label);
	if (r->target.hypervisor)
		fprintf(f, ", KVM %s", r->target.hypervisor);
	else if (!r->subject.kernel)
		fputs(", no hypervisor", f);
	if (r->target.emulator)
		fprintf(f, ", on %s", r->target.emulator);
	describe_clock(f, &r->clock);
	describe_effort(f, r);
	if (fclose(f))
		abort();
	return text;
}

/* The target's name, with the number in the column's head if there is one. */
static char *title(const struct run_table *m, size_t d)
{
	char mark[ROWS_MARK_BYTES], *text;

	rows_mark(m->docs, m->n_docs, d, mark);
	if (asprintf(&text, "%s%s%s", m->docs[d]->target.name, *mark ? " " : "", mark) <
	    0)
		abort();
	return text_cleaned_own(text);
}

static void print_contexts(const struct foot *t)
{
	size_t width = 0;

	for (size_t d = 0; d < t->m->n_docs; d++) {
		char *name = title(t->m, d);
		size_t w = text_width(name) + 2;

		width = w > width ? w : width;
		free(name);
	}
	for (size_t d = 0; d < t->m->n_docs; d++) {
		char *name = title(t->m, d), *text = describe(t->m->docs[d]);

		/* The widest name has no blanks behind it. */
		fprintf(t->f, "%s%*s", name, (int)(width - text_width(name)), "");
		text_wrap(t->f, text, width, width, t->columns);
		free(name);
		free(text);
	}
}

/* The failure of a target is a warning and the reason of the rows that did not run. */
static bool is_a_note(const struct run_table *m, const char *message)
{
	for (size_t i = 0; i < m->table.n_notes; i++)
		if (!strcmp(m->table.notes[i], message))
			return true;
	return false;
}

static bool warns(const struct result *r, const char *message)
{
	for (size_t i = 0; i < r->n_warnings; i++)
		if (!strcmp(r->warnings[i].message, message))
			return true;
	return false;
}

/* One line per message, with all documents that have it. */
static void print_warning(const struct foot *t, size_t first, const char *message)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	fputs("Warning (", f);
	for (size_t d = first; d < t->m->n_docs; d++) {
		if (warns(t->m->docs[d], message)) {
			char *name = title(t->m, d);

			fprintf(f, "%s%s", d == first ? "" : ", ", name);
			free(name);
		}
	}
	fprintf(f, "): %s", message);
	if (fclose(f))
		abort();
	paragraph(t, text);
	free(text);
}

static void print_warnings(const struct foot *t)
{
	bool any = false;

	for (size_t d = 0; d < t->m->n_docs; d++) {
		for (size_t i = 0; i < t->m->docs[d]->n_warnings; i++) {
			const char *message = t->m->docs[d]->warnings[i].message;
			bool said = is_a_note(t->m, message);

			for (size_t k = 0; k < d && !said; k++)
				said = warns(t->m->docs[k], message);
			if (said)
				continue;
			if (!any)
				fputc('\n', t->f);
			any = true;
			print_warning(t, d, message);
		}
	}
}

void run_table_print_foot(FILE *f, const struct run_table *m,
			  const struct table_options *o, bool legend)
{
	const struct foot t = {
		.f = f, .m = m, .columns = table_text_columns(o), .utf8 = o->utf8
	};

	if (legend) {
		if (m->table.n_rows)
			fputc('\n', f);
		print_legend(&t);
		print_contexts(&t);
	}
	if (m->table.n_notes)
		fputc('\n', f);
	table_print_notes(f, &m->table, o);
	print_warnings(&t);
}
