/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floor, KVM, and nested KVM: rows, table, and picture. */
#include "host/report/plots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/table.h"
#include "host/report/charts.h"
#include "host/result/result.h"

const struct floor_pair floor_pairs[] = {
	{ "nested_cpuid", "cpuid" },
	{ "nested_cpuid_as_kvm", "cpuid" },
	{ "nested_hypercall", "hypercall" },
	{ "nested_hvc", "hypercall" },
	{ "nested_hvc_as_kvm", "hypercall" },
	{ "nested_trap_sysreg", "id_register" },
	{ "nested_msr", "rdmsr_kernel" },
	{ "nested_pio", "pio_out_kernel" },
	{ "nested_mmio", "mmio_read_kernel" },
	{ "nested_page_fault", "fault_first_touch_4k" },
	{ NULL, NULL },
};

/* The bare machine with the CPU of a hypervisor's target, the best first. */
static const struct {
	const char *hypervisor, *target; /* `hypervisor`: how the name begins */
} floors[] = {
	{ "VMX", "bare:x86_64-bochs" },
	{ "SVM", "bare:x86_64-bochs-svm" },
	{ "SVM", "bare:x86_64" },
	{ "arm64", "bare:aarch64" },
};

static const struct bars_panel panel = { .unit = "insns", .metric = "round_trip" };

static const struct result_benchmark *find(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		if (!strcmp(b->name, name) && !strcmp(b->config, "default") &&
		    bars_metric(&panel, b))
			return b;
	}
	return NULL;
}

/* Of several documents of a machine, the last. */
static const struct result_benchmark *find_floor(const struct plot_input *in,
						 const struct result *r, const char *name)
{
	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
		const char *hypervisor = floors[i].hypervisor;

		if (strncmp(r->target.hypervisor, hypervisor, strlen(hypervisor)) != 0)
			continue;
		for (size_t d = in->n_docs; d-- > 0;) {
			const struct result_benchmark *b =
				strcmp(in->docs[d]->target.name, floors[i].target)
					? NULL
					: find(in->docs[d], name);

			if (b)
				return b;
		}
	}
	return NULL;
}

static void add(struct floor *f, const struct plot_input *in, const struct result *r,
		const struct floor_pair *pair)
{
	const struct floor_row row = {
		.operation = pair->operation,
		.nested = pair->nested,
		.doc = r,
		.floor = find_floor(in, r, pair->nested),
		.kvm = find(r, pair->operation),
		.twice = find(r, pair->nested),
	};

	if (!!row.floor + !!row.kvm + !!row.twice < 2)
		return;
	f->rows = reallocarray(f->rows, f->n + 1, sizeof(*f->rows));
	if (!f->rows)
		abort();
	f->rows[f->n++] = row;
}

void floor_collect(struct floor *f, const struct plot_input *in)
{
	*f = (struct floor){ .rows = NULL };
	for (const struct floor_pair *pair = floor_pairs; pair->nested; pair++)
		for (size_t d = 0; d < in->n_docs; d++)
			if (in->docs[d]->target.hypervisor &&
			    (plot_wants(in, pair->nested) ||
			     plot_wants(in, pair->operation)))
				add(f, in, in->docs[d], pair);
}

void floor_free(struct floor *f)
{
	free(f->rows);
}

static double value(const struct result_benchmark *b)
{
	return b ? bars_metric(&panel, b)->value : NAN;
}

static void put_ratio(struct table *t, size_t column, double of, double by)
{
	if (isnan(of) || isnan(by) || by <= 0)
		return;
	table_cell(t, column, of < 10 * by ? "%.1fx" : "%.0fx", of / by);
	table_cell_value(t, column, of / by);
}

void floor_table(struct table *t, const struct floor *f, const struct plot_input *in,
		 const struct result *doc)
{
	static const struct table_column columns[] = {
		{ .head = "nested row", .flags = TABLE_KEY },
		{ .head = "operation", .drop = 2 },
		{ .head = "target" },
		{ .head = "floor\ninsns", .flags = TABLE_RIGHT },
		{ .head = "KVM\ninsns", .flags = TABLE_RIGHT },
		{ .head = "KVM\n/ floor", .flags = TABLE_RIGHT },
		{ .head = "nested\ninsns", .flags = TABLE_RIGHT },
		{ .head = "nested\n/ KVM", .flags = TABLE_RIGHT },
		{ .head = "traps", .flags = TABLE_RIGHT, .drop = 1 },
	};

	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < f->n; i++) {
		const struct floor_row *row = &f->rows[i];
		const struct result_metric *traps =
			row->twice ? result_find_metric(row->twice, "traps_per_op")
				   : NULL;
		char *label;

		if (doc && row->doc != doc)
			continue;
		label = plot_label(in, row->doc);
		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%s", row->nested);
		table_cell(t, 1, "%s", row->operation);
		if (!doc)
			table_cell(t, 2, "%s", label);
		table_number(t, 3, value(row->floor), true, false);
		table_number(t, 4, value(row->kvm), true, false);
		put_ratio(t, 5, value(row->kvm), value(row->floor));
		table_number(t, 6, value(row->twice), true, false);
		put_ratio(t, 7, value(row->twice), value(row->kvm));
		table_number(t, 8, traps ? traps->value : NAN, true, false);
		free(label);
	}
}

void floor_print(FILE *to, const struct floor *f, const struct plot_input *in,
		 const struct table_options *o)
{
	bool first = true;

	for (size_t d = 0; d < in->n_docs; d++) {
		char *label = plot_label(in, in->docs[d]);
		struct table t;

		floor_table(&t, f, in, in->docs[d]);
		if (t.n_rows) {
			fprintf(to, "%s%s\n\n", first ? "" : "\n", label);
			table_print(to, &t, o);
			first = false;
		}
		table_free(&t);
		free(label);
	}
}

/* ------------------------------- the picture ------------------------------- */

static char *format(const char *fmt, const char *a, const char *b)
	__attribute__((format(printf, 1, 0)));
static char *format(const char *fmt, const char *a, const char *b)
{
	char *text;

	if (asprintf(&text, fmt, a, b) < 0)
		abort();
	return text;
}

static bool has_several_targets(const struct floor *f, const char *arch)
{
	const struct result *first = NULL;

	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(plot_arch(f->rows[i].doc), arch) != 0)
			continue;
		if (first && first != f->rows[i].doc)
			return true;
		first = f->rows[i].doc;
	}
	return false;
}

static void add_groups(struct bars_model *m, const struct floor *f,
		       const struct plot_input *in, const char *arch)
{
	const bool several = has_several_targets(f, arch);

	for (size_t i = 0; i < f->n; i++) {
		const struct floor_row *row = &f->rows[i];
		const struct result_benchmark *const bars[] = { row->floor, row->kvm,
								row->twice };
		char *label = plot_label(in, row->doc);

		if (row->twice && !strcmp(plot_arch(row->doc), arch))
			bars_add_group(
				m, format(several ? "%s, %s" : "%s", row->nested, label),
				bars, true);
		free(label);
	}
}

#define NO_FLOOR "no document of the bare machine was given"

static bool has_floor(const struct floor *f, const char *arch)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->rows[i].floor && !strcmp(plot_arch(f->rows[i].doc), arch))
			return true;
	return false;
}

static bool draw(const struct floor *f, const struct plot_input *in, const char *arch,
		 struct picture_list *list)
{
	static const char *const series[][2] = {
		{ "floor", "the least hypervisor on the bare machine" },
		{ "KVM", "the operation in a VM" },
		{ "nested", "in a guest of that VM, the least hypervisor in between" },
	};
	struct bars_model m = { .panels = { panel }, .n_panels = 1, .axis = BARS_LOG };
	struct picture *p;
	bool drawn;

	m.title = format("The floor of an exit, KVM, and KVM on KVM, %s%s", arch, "");
	m.subtitle = format("Round trips in %s: %s.", plot_unit_words(panel.unit),
			    plot_unit_caution(panel.unit));
	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
		bars_add_series(
			&m, format("%s: %s", series[i][0],
				   i || has_floor(f, arch) ? series[i][1] : NO_FLOOR));
	add_groups(&m, f, in, arch);
	drawn = m.n_groups;
	if (drawn) {
		bars_settle(&m);
		p = picture_add(list);
		picture_name(list, "floor-%s", arch);
		p->caption = format("Bar chart of exits on %s: the floor, KVM, nested%s",
				    arch, "");
		bars_draw(&m, p);
	}
	bars_free(&m);
	return drawn;
}

void plot_floor(const struct plot_input *in, struct picture_list *list,
		struct plot_reason *why)
{
	bool drawn = false;
	struct floor f;

	floor_collect(&f, in);
	drawn |= draw(&f, in, "x86_64", list);
	drawn |= draw(&f, in, "aarch64", list);
	floor_free(&f);
	if (!drawn)
		snprintf(why->text, sizeof(why->text),
			 "no document has benchmarks of the group nested");
}
