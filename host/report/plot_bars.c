/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Round trips of every benchmark, a bar per target: a chart per unit and architecture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/report/bars_model.h"
#include "host/report/plots.h"
#include "host/report/rows.h"

/* The documents whose figures share an axis. */
struct shared {
	const struct result **docs;
	size_t n;
};

static bool has_figure(const struct bars_panel *panel, const struct plot_input *in,
		       const struct result *r)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (plot_wants(in, r->benchmarks[i].name) &&
		    bars_metric(panel, &r->benchmarks[i]))
			return true;
	return false;
}

static void select_docs(struct shared *shared, const struct bars_panel *panel,
			const char *arch, const struct plot_input *in)
{
	shared->docs = calloc(in->n_docs ? in->n_docs : 1, sizeof(struct result *));
	if (!shared->docs)
		abort();
	for (size_t d = 0; d < in->n_docs; d++)
		if (!strcmp(plot_arch(in->docs[d]), arch) &&
		    has_figure(panel, in, in->docs[d]))
			shared->docs[shared->n++] = in->docs[d];
	/* A target that failed is named beside the others, without a bar. */
	for (size_t d = 0; shared->n && d < in->n_docs; d++)
		if (!strcmp(plot_arch(in->docs[d]), arch) &&
		    result_failure(in->docs[d]) &&
		    !result_count(in->docs[d], RESULT_OK) &&
		    !strcmp(in->docs[d]->clock.unit, panel->unit))
			shared->docs[shared->n++] = in->docs[d];
}

static void print_head(struct bars_model *m, const char *arch)
{
	const char *unit = m->panels[0].unit;

	if (asprintf(&m->title, "What leaving the guest and coming back %s, %s",
		     strcmp(unit, "insns") ? "takes" : "costs", arch) < 0 ||
	    asprintf(&m->subtitle, "Round trips in %s: %s. Shorter is better.",
		     plot_unit_words(unit), plot_unit_caution(unit)) < 0)
		abort();
}

static char *copy(const char *text)
{
	char *new = strdup(text);

	if (!new)
		abort();
	return new;
}

static void add_groups(struct bars_model *m, const struct shared *shared,
		       const struct plot_input *in)
{
	const struct result_benchmark **found = calloc(shared->n, sizeof(*found));
	struct rows rows;

	if (!found)
		abort();
	rows_collect(&rows, shared->docs, shared->n);
	for (size_t i = 0; i < rows.n; i++) {
		if (!plot_wants(in, rows.rows[i].name))
			continue;
		for (size_t d = 0; d < shared->n; d++)
			found[d] = result_count(shared->docs[d], RESULT_OK)
					   ? rows_find(shared->docs[d], &rows.rows[i])
					   : NULL;
		bars_add_group(m, copy(rows.rows[i].label), found,
			       shared->docs[0]->target.exact);
	}
	rows_free(&rows);
	free(found);
}

static void draw(struct bars_model *m, const struct shared *shared, const char *arch,
		 const struct plot_input *in, struct picture_list *list)
{
	struct picture *p;

	print_head(m, arch);
	for (size_t d = 0; d < shared->n; d++)
		bars_add_series(m, plot_subject(in, shared->docs[d]),
				shared->n > 1 ? plot_label(in, shared->docs[d])
					      : copy(""));
	add_groups(m, shared, in);
	bars_settle(m);
	p = picture_add(list);
	picture_name(list, "round_trip-%s-%s", m->panels[0].unit, arch);
	if (asprintf(&p->caption, "Bar chart of round trips in %s on %s, by target",
		     plot_unit_words(m->panels[0].unit), arch) < 0)
		abort();
	bars_draw(m, p);
}

void plot_bars(const struct plot_input *in, struct picture_list *list,
	       struct plot_reason *why)
{
	/* The ones there are; they make file names, so no other will do. */
	static const char *const units[] = { "insns", "ticks", "cycles", "ns" };
	static const char *const archs[] = { "x86_64", "aarch64" };
	size_t before = list->n;

	for (size_t i = 0; i < 8; i++) {
		struct bars_model m = {
			.panels = { { .unit = units[i / 2], .metric = "round_trip" } },
			.n_panels = 1,
		};
		struct shared shared = { 0 };

		select_docs(&shared, &m.panels[0], archs[i % 2], in);
		if (shared.n)
			draw(&m, &shared, archs[i % 2], in, list);
		bars_free(&m);
		free(shared.docs);
	}
	if (list->n == before)
		snprintf(why->text, sizeof(why->text), "no round trip was measured");
}
