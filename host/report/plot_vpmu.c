/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual PMU in one picture: what an access to a counter costs under each config,
 * its overflow interrupt, and what the config adds to exits that have nothing to do with
 * the PMU; one panel per kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/result/result.h"
#include "host/report/charts.h"
#include "host/report/plots.h"
#include "host/report/run_table.h"

/* The rows of the picture; --bench chooses others. */
static const struct {
	const char *bench;
	bool of_pmu; /* not an exit that pays without a use */
} rows[] = {
	{ "rdpmc_general", true },
	{ "pmu_a_pmc0_read", true },
	{ "pmu_a_pmc0_write", true },
	{ "pmu_perfevtsel0_write", true },
	{ "pmu_perf_ctr0_read", true },
	{ "pmu_perf_ctr0_write", true },
	{ "pmu_perf_ctl0_write", true },
	{ "pmu_overflow_irq", true },
	{ "pmccntr", true },
	{ "pmu_pmevcntr0_read", true },
	{ "hypercall", false },
	{ "cpuid", false },
	{ "pio_out_user", false },
	{ "mmio_write_user", false },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The configs of a picture, in the order of the table of configs. */
struct vpmu {
	const struct result *docs[BARS_PANELS_MAX]; /* a panel each */
	const char *configs[16];
	size_t n_docs, n_configs;
};

static bool is_vpmu_config(const char *name)
{
	return !strncmp(name, "pmu-", 4) || !strncmp(name, "pmc", 3);
}

static bool has_figure(const struct vpmu *v, const char *bench, const char *config)
{
	for (size_t d = 0; d < v->n_docs; d++) {
		const struct result_benchmark *b = result_find(v->docs[d], bench, config);

		if (b && b->status != RESULT_SKIP)
			return true;
	}
	return false;
}

/* The configs under which any row has a figure. */
static void collect_configs(struct vpmu *v)
{
	for (const struct config *c = config_table; c->name; c++) {
		bool any = false;

		for (size_t i = 0; i < ROWS && is_vpmu_config(c->name); i++)
			any |= has_figure(v, rows[i].bench, c->name);
		if (any && v->n_configs < sizeof(v->configs) / sizeof(v->configs[0]))
			v->configs[v->n_configs++] = c->name;
	}
}

/* Whether there are both a row of the PMU and another one. */
static bool is_telling(const struct vpmu *v)
{
	bool kinds[2] = { false, false };

	for (size_t i = 0; i < ROWS; i++)
		for (size_t c = 0; c < v->n_configs; c++)
			kinds[rows[i].of_pmu] |=
				has_figure(v, rows[i].bench, v->configs[c]);
	return v->n_configs > 1 && kinds[0] && kinds[1];
}

static char *text_of(const char *fmt, const char *a, const char *b, const char *c)
{
	char *text;

	if (asprintf(&text, fmt, a, b, c) < 0)
		abort();
	return text;
}

static void add_groups(struct bars_model *m, const struct plot_input *in,
		       const struct vpmu *v)
{
	const struct result_benchmark *found[16 * BARS_PANELS_MAX];

	for (size_t i = 0; i < ROWS; i++) {
		if (!plot_wants(in, rows[i].bench))
			continue;
		for (size_t n = 0; n < v->n_configs * v->n_docs; n++)
			found[n] = result_find(v->docs[n % v->n_docs], rows[i].bench,
					       v->configs[n / v->n_docs]);
		bars_add_split_group(m, text_of("%s", rows[i].bench, "", ""), found,
				     v->docs[0]->target.exact);
	}
}

static bool draw(const struct plot_input *in, const struct vpmu *v,
		 struct picture_list *list)
{
	const struct result *r = v->docs[0];
	struct bars_model m = { .n_panels = v->n_docs,
				.one_axis = true,
				.axis = in->log ? BARS_LOG : BARS_AUTO };
	char *titles[BARS_PANELS_MAX] = { NULL };
	struct picture *p;
	bool any;

	for (size_t d = 0; d < v->n_docs; d++) {
		titles[d] = text_of("Linux %s", v->docs[d]->subject.kernel, "", "");
		m.panels[d] = (struct bars_panel){ .unit = r->clock.unit,
						   .metric = "round_trip",
						   .title = titles[d] };
	}
	m.title = text_of("The virtual PMU on %s: PMU rows and other exits",
			  r->target.name, "", "");
	m.subtitle = text_of("Round trips in %s: %s. Shorter is better.",
			     plot_unit_words(r->clock.unit),
			     plot_unit_caution(r->clock.unit), "");
	for (size_t c = 0; c < v->n_configs; c++)
		bars_add_series(&m, text_of("%s: %s", v->configs[c],
					    configs_summary(v->configs[c]), ""));
	add_groups(&m, in, v);
	bars_settle(&m);
	any = m.n_bars;
	if (any) {
		p = picture_add(list);
		picture_name(list, "vpmu-%s", r->target.name);
		p->caption = text_of(
			"Bar chart of counter accesses, the overflow interrupt and other exits on %s, by counter configuration and kernel",
			r->target.name, "", "");
		bars_draw(&m, p);
	}
	bars_free(&m);
	for (size_t d = 0; d < v->n_docs; d++)
		free(titles[d]);
	return any;
}

/* Whether an earlier document has the target of document `d`. */
static bool is_later(const struct plot_input *in, size_t d)
{
	for (size_t k = 0; k < d; k++)
		if (!strcmp(in->docs[k]->target.name, in->docs[d]->target.name))
			return true;
	return false;
}

/* The first and the last document of a target. */
void plot_vpmu(const struct plot_input *in, struct picture_list *list,
	       struct plot_reason *why)
{
	bool any = false;

	for (size_t d = 0; d < in->n_docs; d++) {
		struct vpmu v = { .docs = { in->docs[d] }, .n_docs = 1 };

		if (is_later(in, d) || !in->docs[d]->subject.kernel)
			continue;
		for (size_t k = d + 1; k < in->n_docs; k++)
			if (!strcmp(in->docs[k]->target.name, in->docs[d]->target.name) &&
			    in->docs[k]->subject.kernel) {
				v.docs[1] = in->docs[k];
				v.n_docs = 2;
			}
		collect_configs(&v);
		if (is_telling(&v) && draw(in, &v, list))
			any = true;
	}
	if (!any)
		snprintf(
			why->text, sizeof(why->text),
			"no document has rows of the PMU and other exits under two configs of the virtual PMU");
}
