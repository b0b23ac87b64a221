/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grouped bars before they are drawn: which, where, how long. */
#include "host/report/bars_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"

#define GROUP_GAP 0.7 /* between groups, in bars */

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n, size);
	if (!p)
		abort();
	return p;
}

void bars_add_series(struct bars_model *m, char *legend, char *label)
{
	m->series = grow(m->series, m->n_series + 1, sizeof(*m->series));
	m->series[m->n_series++] = (struct bars_series){ legend, label };
}

const struct result_metric *bars_metric(const struct bars_panel *panel,
					const struct result_benchmark *b)
{
	const struct result_metric *metric = result_find_metric(b, panel->metric);

	if (b->status != RESULT_OK || !metric || isnan(metric->value) ||
	    strcmp(metric->unit, panel->unit))
		return NULL;
	return metric;
}

static struct bar *add_bar(struct bars_model *m, size_t series, size_t panel)
{
	m->bars = grow(m->bars, m->n_bars + 1, sizeof(*m->bars));
	m->bars[m->n_bars] = (struct bar){
		.series = series,
		.panel = panel,
		.y = m->height + 0.5,
		.value = NAN,
		.lo = NAN,
		.hi = NAN,
	};
	m->panels[panel].n_bars++;
	return &m->bars[m->n_bars++];
}

/* What one series has for a group: a line of its own, or none. */
static bool add_line(struct bars_model *m, size_t series,
		     const struct result_benchmark *b, bool exact)
{
	bool any = false;

	if (b->status == RESULT_SKIP)
		m->n_skipped++;
	if (b->status == RESULT_FAIL) {
		add_bar(m, series, 0)->failed = true;
		any = true;
	}
	for (size_t p = 0; p < m->n_panels; p++) {
		const struct result_metric *metric = bars_metric(&m->panels[p], b);
		struct bar *bar;

		if (!metric)
			continue;
		bar = add_bar(m, series, p);
		bar->value = metric->value;
		bar->exact = exact;
		if (metric->ci.method && metric->ci.hi > metric->ci.lo) {
			bar->lo = metric->ci.lo;
			bar->hi = metric->ci.hi;
		}
		any = true;
	}
	m->height += any;
	return any;
}

void bars_add_group(struct bars_model *m, char *label,
		    const struct result_benchmark *const *benchmarks, bool exact)
{
	struct bars_group group = { .label = label, .top = m->height };
	bool any = false;

	m->height += GROUP_GAP / 2;
	for (size_t s = 0; s < m->n_series; s++)
		if (benchmarks[s] && add_line(m, s, benchmarks[s], exact))
			any = true;
	if (!any) {
		m->height = group.top;
		free(label);
		return;
	}
	m->height += GROUP_GAP / 2;
	group.bottom = m->height;
	m->groups = grow(m->groups, m->n_groups + 1, sizeof(*m->groups));
	m->groups[m->n_groups++] = group;
}

/* The axis begins at 1, unless that would hide a bar. */
static void settle_axis(struct bars_model *m, size_t panel)
{
	struct bars_panel *p = &m->panels[panel];
	double least = INFINITY;

	for (size_t i = 0; i < m->n_bars; i++) {
		double v = m->bars[i].value;

		if (m->bars[i].panel != panel)
			continue;
		if (v > 0 && v < least)
			least = v;
		if (v > p->most)
			p->most = v;
		if (m->bars[i].hi > p->most)
			p->most = m->bars[i].hi;
	}
	p->foot = least < 1.5 ? least / 2 : 1;
	if (p->most < 10 * p->foot)
		p->most = 10 * p->foot;
}

/* What the bars alone would leave unsaid. */
static char *remark(const struct bars_model *m)
{
	size_t low = 0, intervals = 0;
	char skipped[64] = "", *text;

	for (size_t i = 0; i < m->n_bars; i++) {
		low += m->bars[i].value <= m->panels[m->bars[i].panel].foot;
		intervals += !isnan(m->bars[i].hi);
	}
	if (m->n_skipped)
		snprintf(skipped, sizeof(skipped), "%zu skipped measurement%s not drawn.",
			 m->n_skipped, m->n_skipped == 1 ? " is" : "s are");
	if (asprintf(&text, "%s%s%s", intervals ? "Whiskers: confidence interval. " : "",
		     low ? "Zero and less has no length on a logarithmic axis. " : "",
		     skipped) < 0)
		abort();
	return text;
}

void bars_settle(struct bars_model *m)
{
	for (size_t p = 0; p < m->n_panels; p++)
		settle_axis(m, p);
	if (!m->remark)
		m->remark = remark(m);
}

void bars_free(struct bars_model *m)
{
	for (size_t i = 0; i < m->n_groups; i++)
		free(m->groups[i].label);
	for (size_t i = 0; i < m->n_series; i++) {
		free(m->series[i].legend);
		free(m->series[i].label);
	}
	free(m->groups);
	free(m->series);
	free(m->bars);
	free(m->title);
	free(m->subtitle);
	free(m->remark);
	*m = (struct bars_model){ 0 };
}
