/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of pictures, and what they share: labels, subjects and units. */
#include "host/report/plots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/text.h"
#include "host/result/result.h"
#include "host/report/picture.h"
#include "host/report/run_table.h"

const struct plot_kind plot_kinds[] = {
	{ "bars", "round trips of every benchmark, by target", PLOT_DOCUMENTS,
	  plot_bars },
	{ "compare", "differences of two documents or configs, with intervals",
	  PLOT_DOCUMENTS, plot_compare },
	{ "configs", "trap against passthrough: bars by counter config", PLOT_DOCUMENTS,
	  plot_configs },
	{ "tax", "what the virtual PMU adds to every exit while the guest uses it",
	  PLOT_DOCUMENTS, plot_tax },
	{ "vpmu", "the virtual PMU: its accesses, and other exits, by config",
	  PLOT_DOCUMENTS, plot_vpmu },
	{ "distribution", "events of noisy targets: the bulk, and the tail; for experts",
	  PLOT_DOCUMENTS, plot_distribution },
	{ "floor", "exits on the bare machine, to KVM, and of nested guests",
	  PLOT_DOCUMENTS, plot_floor },
	{ "scaling", "exits of several vCPUs or VMs at once (run --vcpus, --vms)",
	  PLOT_DOCUMENTS, plot_scaling },
	{ "history", "figures from run to run, and what changed them (--history)",
	  PLOT_HISTORY, plot_history },
	{ "trend", "exact figures in percent of the first run (--history)", PLOT_HISTORY,
	  plot_trend },
	{ "touch", "misses after a guest with a working set (explain --touch)",
	  PLOT_EXPLANATIONS, plot_touch },
	{ 0 },
};

bool plot_wants(const struct plot_input *in, const char *bench)
{
	for (size_t i = 0; i < in->n_benches; i++)
		if (result_bench_matches(in->benches[i], bench))
			return true;
	return !in->n_benches;
}

const char *plot_arch(const struct result *r)
{
	static const char *const archs[] = { "x86_64", "aarch64" };

	for (size_t i = 0; i < 2; i++)
		if (strstr(r->target.name, archs[i]))
			return archs[i];
	return r->machine.arch;
}

char *plot_label(const struct plot_input *in, const struct result *r)
{
	char mark[ROWS_MARK_BYTES] = "", *text;

	for (size_t d = 0; d < in->n_docs; d++)
		if (in->docs[d] == r)
			rows_mark(in->docs, in->n_docs, d, mark);
	if (asprintf(&text, "%.100s%s%s", r->target.name, *mark ? " " : "", mark) < 0)
		abort();
	return text;
}

void plot_kernel(const char *kernel, char name[PLOT_KERNEL_BYTES])
{
	size_t bytes = strcspn(kernel, "+~");

	if (!kernel[bytes] && strstr(kernel, "-cloud"))
		bytes = (size_t)(strstr(kernel, "-cloud") - kernel);
	snprintf(name, PLOT_KERNEL_BYTES, "%.*s", (int)bytes, kernel);
}

bool plot_is_release(const char *a, const char *b)
{
	size_t n = strcspn(a, ".");

	if (a[n])
		n += 1 + strspn(a + n + 1, "0123456789");
	return !strncmp(a, b, n) && !(b[n] >= '0' && b[n] <= '9');
}

static void print_kernel(FILE *f, const struct result *r)
{
	if (!r->subject.kernel) {
		fputs("no hypervisor", f);
		return;
	}
	fprintf(f, "Linux %.100s", r->subject.kernel);
	if (r->target.hypervisor)
		fprintf(f, ", KVM %.100s", r->target.hypervisor);
}

char *plot_subject(const struct plot_input *in, const struct result *r)
{
	char *text = NULL, *label = plot_label(in, r);
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	fprintf(f, "%s: ", label);
	if (result_failure(r))
		fprintf(f, "FAILED: %.100s", result_failure(r));
	else
		print_kernel(f, r);
	if (r->subject.label)
		fprintf(f, " (%.*s)", text_prefix(r->subject.label, 60),
			r->subject.label);
	if (r->clock.hz && !r->target.exact)
		fprintf(f, ", %.40s at %.4g MHz", r->clock.name ? r->clock.name : "clock",
			(double)r->clock.hz / 1e6);
	if (fclose(f))
		abort();
	free(label);
	return text;
}

static const struct {
	const char *unit, *words, *caution;
} units[] = {
	{ "insns", "instructions", "path length, not time" },
	{ "ticks", "clock ticks", "time in steps of the guest's clock, not CPU cycles" },
	{ "cycles", "cycles", "as counted by a PMU" },
	{ "ns", "nanoseconds", "time" },
};

const char *plot_unit_words(const char *unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].unit, unit))
			return units[i].words;
	return unit;
}

const char *plot_unit_caution(const char *unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].unit, unit))
			return units[i].caution;
	return "";
}

void plot_open(struct figure *g, struct picture *p)
{
	g->width = p->width;
	g->height = p->height;
	g->f = open_memstream(&p->script, &p->script_bytes);
	if (!g->f)
		abort();
	figure_begin(g);
}

void plot_close(struct figure *g, struct picture *p)
{
	if (fclose(g->f) || !p->script)
		abort();
	g->f = NULL;
}

void plot_all(const struct plot_input *in, struct picture_list *list,
	      bool (*wanted)(const struct plot_kind *kind, void *context),
	      void (*said)(const struct plot_kind *kind, const char *why, void *context),
	      void *context)
{
	for (const struct plot_kind *kind = plot_kinds; kind->id; kind++) {
		struct plot_reason why = { "" };

		if (wanted && !wanted(kind, context))
			continue;
		if (kind->source == PLOT_HISTORY && !in->history)
			snprintf(why.text, sizeof(why.text), "needs --history");
		else if (kind->source == PLOT_DOCUMENTS && !in->n_docs)
			snprintf(why.text, sizeof(why.text), "needs documents");
		else
			kind->plan(in, list, &why);
		if (*why.text && said)
			said(kind, why.text, context);
	}
}
