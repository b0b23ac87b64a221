/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands below a table: what its numbers mean, and where they come from. */
#include "host/cli/table_foot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/cli/table.h"
#include "host/lib/text.h"
#include "host/result/result.h"
#include "host/lib/number.h"
#include "host/report/table_model.h"

#define INDENT 2

struct foot {
	FILE *f;
	const struct table_model *m;
	const struct table_options *o;
};

static void paragraph(const struct foot *t, const char *text)
{
	text_wrap(t->f, text, 0, INDENT, t->o->columns);
}

static bool any_unit(const struct table_model *m, const char *unit)
{
	for (size_t d = 0; d < m->n_docs; d++)
		if (!strcmp(table_model_unit(m, d), unit))
			return true;
	return false;
}

static bool any_cell(const struct table_model *m, bool (*is)(const struct table_cell *))
{
	for (size_t i = 0; i < m->rows.n; i++)
		for (size_t d = 0; d < m->n_docs; d++)
			if (is(&m->lines[i].cells[d]))
				return true;
	return false;
}

static bool is_absent(const struct table_cell *c)
{
	return !strcmp(c->number, "-");
}

static bool has_mark(const struct table_cell *c)
{
	return *c->mark;
}

static bool has_interval(const struct table_cell *c)
{
	return c->interval;
}

static void print_legend(const struct foot *t)
{
	bool insns = any_unit(t->m, "insns"), ticks = any_unit(t->m, "ticks");

	if (insns)
		paragraph(t,
			  "insns: instructions that guest and host executed from before "
			  "the operation to after it; the length of the path, not time.");
	if (ticks)
		paragraph(t, "ticks: steps of the guest's clock while it happened; time, "
			     "at the rate given below, not CPU cycles.");
	if (insns && ticks)
		paragraph(t, "Never compare insns with ticks.");
	paragraph(t,
		  "handled by: none = no exit; kernel = KVM, inside the kernel; user = "
		  "the VMM, after a return to user space; fault = the guest took an "
		  "exception.");
	if (any_cell(t->m, has_mark))
		paragraph(t, "A word behind a number: handled differently there; or the "
			     "number's own unit.");
	if (any_cell(t->m, has_interval))
		paragraph(t,
			  t->o->utf8
				  ? "\u00b1: half of the estimate's confidence interval."
				  : "+-: half of the estimate's confidence interval.");
	if (t->m->compares)
		paragraph(t,
			  "+n (rx): difference and ratio to the benchmark's first config "
			  "here; wsbench compare FILE --config A,B says what is "
			  "significant.");
	if (any_cell(t->m, is_absent))
		paragraph(t,
			  "-: not part of that run; the architecture may not have it.");
	fputc('\n', t->f);
}

/* Boots of the benchmark that has most of them, their events, and all boots. */
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
		fprintf(f, ", its own cost of %s subtracted", cost);
	}
}

static void describe_effort(FILE *f, const struct result *r)
{
	struct effort e = effort_of(r);
	char events[NUMBER_BYTES];

	number_format(events, (double)e.events, false);
	if (e.boots)
		fprintf(f, "; %zu boot%s x %s events", e.boots, e.boots == 1 ? "" : "s",
			events);
	if (e.rejected)
		fprintf(f, " (%zu of all %zu boots rejected)", e.rejected, e.all);
	fputs(r->target.exact ? "; exact: no noise" : "; noisy", f);
	if (result_failure(r))
		fputs("; FAILED: not all of it is here", f);
	else if (r->run.partial)
		fputs("; INTERRUPTED: not all of it is here", f);
}

static char *describe(const struct result *r)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	/* Of a target that did not come up nothing else is known. */
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

/* The name, and the number that stands in the column's head where it has one. */
static char *title(const struct table_model *m, size_t d)
{
	const char *name = m->docs[d]->target.name;
	char *text;
	int ret;

	if (table_model_shared(m, d))
		ret = asprintf(&text, "%s #%zu", name, d + 1);
	else
		ret = asprintf(&text, "%s", name);
	if (ret < 0)
		abort();
	message_clean(text);
	return text;
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

		text_left(t->f, name, width);
		text_wrap(t->f, text, width, width, t->o->columns);
		free(name);
		free(text);
	}
}

static void print_notes(const struct foot *t)
{
	if (t->m->n_notes)
		fputc('\n', t->f);
	for (size_t i = 0; i < t->m->n_notes; i++) {
		size_t at = (size_t)fprintf(t->f, "[%zu] ", i + 1);

		text_wrap(t->f, t->m->notes[i], at, at, t->o->columns);
	}
}

/* A target's failure is a warning, and the reason of the rows that it cost. */
static bool is_a_note(const struct table_model *m, const char *message)
{
	for (size_t i = 0; i < m->n_notes; i++)
		if (!strcmp(m->notes[i], message))
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

/* One line for a message, however many documents carry it: all of them named. */
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

void table_foot_print(FILE *f, const struct table_model *m, const struct table_options *o)
{
	const struct foot t = { .f = f, .m = m, .o = o };

	print_legend(&t);
	print_contexts(&t);
	print_notes(&t);
	print_warnings(&t);
}
