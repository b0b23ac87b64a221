/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grouped bars: the model. bars_draw.c draws it. */
#include "host/report/charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/report/picture.h"
#include "host/result/result.h"

#define GROUP_GAP 0.7 /* between groups, in bars */

/* Largest by smallest value that a linear axis shows; shorter than an exit can be. */
#define LINEAR_SPAN 100
#define NO_EXIT	    10
/* By the median: longer bars are cut. */
#define CUT_SPAN    12

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n, size);
	if (!p)
		abort();
	return p;
}

void bars_add_series(struct bars_model *m, char *legend)
{
	m->series = grow(m->series, m->n_series + 1, sizeof(*m->series));
	m->series[m->n_series++] = (struct bars_series){ legend };
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
		.figure = NAN,
		.lo = NAN,
		.hi = NAN,
	};
	m->panels[panel].n_bars++;
	return &m->bars[m->n_bars++];
}

/* Adds a series' line to a group, if the series has a figure or failed. */
static bool add_line(struct bars_model *m, size_t series,
		     const struct result_benchmark *const *by_panel, bool exact)
{
	bool any = false;

	for (size_t p = 0; p < m->n_panels; p++) {
		const struct result_benchmark *b = by_panel[p];
		/* One benchmark for all panels fails, and is skipped, once. */
		const bool again = p && b == by_panel[0];
		const struct result_metric *metric;
		struct bar *bar;

		if (!b)
			continue;
		m->n_skipped += b->status == RESULT_SKIP && !again;
		if (b->status == RESULT_FAIL && !again) {
			add_bar(m, series, p)->failed = true;
			any = true;
		}
		metric = bars_metric(&m->panels[p], b);
		if (!metric)
			continue;
		bar = add_bar(m, series, p);
		bar->value = bar->figure = metric->value;
		bar->exact = exact;
		bar->fault = b->exits.faults > 0;
		if (metric->ci.method && metric->ci.hi > metric->ci.lo) {
			bar->lo = bar->figure_lo = metric->ci.lo;
			bar->hi = bar->figure_hi = metric->ci.hi;
		}
		any = true;
	}
	m->height += any;
	return any;
}

void bars_add_group(struct bars_model *m, char *label,
		    const struct result_benchmark *const *benchmarks, bool exact)
{
	const struct result_benchmark **split =
		calloc(m->n_series * m->n_panels + 1, sizeof(*split));

	if (!split)
		abort();
	for (size_t i = 0; i < m->n_series * m->n_panels; i++)
		split[i] = benchmarks[i / m->n_panels];
	bars_add_split_group(m, label, split, exact);
	free(split);
}

void bars_add_split_group(struct bars_model *m, char *label,
			  const struct result_benchmark *const *benchmarks, bool exact)
{
	struct bars_group group = { .label = label, .top = m->height };
	bool any = false;

	m->height += GROUP_GAP / 2;
	for (size_t s = 0; s < m->n_series; s++)
		if (add_line(m, s, &benchmarks[s * m->n_panels], exact))
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

void bars_relate(struct bars_model *m, const size_t *base, char *name)
{
	double *of = calloc(m->n_bars + 1, sizeof(*of));

	if (!of)
		abort();
	m->relative = name;
	for (size_t i = 0; i < m->n_bars; i++)
		for (size_t k = 0, group = 0; k < m->n_bars; k++) {
			while (group < m->n_groups &&
			       m->bars[k].y > m->groups[group].bottom)
				group++;
			if (m->bars[k].series == base[m->bars[i].series] &&
			    m->bars[k].panel == m->bars[i].panel &&
			    m->bars[i].y > m->groups[group].top &&
			    m->bars[i].y < m->groups[group].bottom)
				of[i] = m->bars[k].figure;
		}
	for (size_t i = 0; i < m->n_bars; i++) {
		m->bars[i].value *= 100 / of[i];
		m->bars[i].lo *= 100 / of[i];
		m->bars[i].hi *= 100 / of[i];
	}
	free(of);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Cuts values far above the median of those that exit. */
static void cut(struct bars_model *m, size_t panel)
{
	struct bars_panel *p = &m->panels[panel];
	double *values = calloc(m->n_bars + 1, sizeof(*values)), limit;
	size_t n = 0;

	if (!values)
		abort();
	for (size_t i = 0; i < m->n_bars; i++)
		if (m->bars[i].panel == panel && m->bars[i].figure > NO_EXIT)
			values[n++] = m->bars[i].value;
	qsort(values, n, sizeof(*values), by_value);
	limit = n ? CUT_SPAN * values[n / 2] : INFINITY;
	p->cut = p->most > limit;
	while (p->cut && n && values[n - 1] > limit)
		n--;
	if (p->cut)
		p->most = values[n - 1];
	free(values);
}

/* A logarithmic axis begins at 1, or lower if a bar is shorter. */
static void settle_axis(struct bars_model *m, size_t panel)
{
	struct bars_panel *p = &m->panels[panel];
	double least = INFINITY, exit = INFINITY;

	for (size_t i = 0; i < m->n_bars; i++) {
		double v = m->bars[i].value;

		if (m->bars[i].panel != panel)
			continue;
		if (v > 0 && v < least)
			least = v;
		if (v > NO_EXIT && v < exit)
			exit = v;
		if (v > p->most)
			p->most = v;
		if (m->bars[i].hi > p->most)
			p->most = m->bars[i].hi;
	}
	p->linear = m->axis == BARS_LINEAR ||
		    (m->axis == BARS_AUTO &&
		     p->most <= LINEAR_SPAN * (strcmp(p->unit, "insns") ? least : exit));
	if (m->axis == BARS_LINEAR)
		cut(m, panel);
	p->foot = least < 1.5 ? least / 2 : 1;
	if (p->most < 10 * p->foot)
		p->most = 10 * p->foot;
}

/* The remark below the picture. */
static char *remark(const struct bars_model *m)
{
	size_t low = 0, intervals[2] = { 0, 0 }; /* noisy, exact */
	char skipped[64] = "", no_exit[64] = "", no_base[64] = "", *text;
	bool cuts = false;

	for (size_t i = 0; i < m->n_bars; i++) {
		const struct bars_panel *p = &m->panels[m->bars[i].panel];

		low += !p->linear && m->bars[i].value <= p->foot;
		cuts |= p->cut;
		intervals[m->bars[i].exact] +=
			!isnan(m->bars[i].hi) &&
			(!p->linear || m->bars[i].hi - m->bars[i].lo >
					       p->most * BARS_WHISKER / FIGURE_WIDTH);
	}
	if (m->n_skipped)
		snprintf(skipped, sizeof(skipped), "%zu skipped measurement%s not drawn.",
			 m->n_skipped, m->n_skipped == 1 ? " is" : "s are");
	if (m->n_no_exit)
		snprintf(no_exit, sizeof(no_exit),
			 "%zu benchmark%s without an exit %s not drawn. ", m->n_no_exit,
			 m->n_no_exit == 1 ? "" : "s", m->n_no_exit == 1 ? "is" : "are");
	if (m->n_no_base)
		snprintf(no_base, sizeof(no_base),
			 "%zu benchmark%s without a figure of the base. ", m->n_no_base,
			 m->n_no_base == 1 ? "" : "s");
	if (asprintf(&text, "%s%s%s%s%s%s%s", cuts ? "\u00bb: far longer, and cut. " : "",
		     intervals[0] ? "Whiskers: confidence interval. " : "",
		     intervals[1]
			     ? "Whiskers of exact figures: range over boots and vCPUs. "
			     : "",
		     low ? "Zero and less has no length on a logarithmic axis. " : "",
		     no_exit, no_base, skipped) < 0)
		abort();
	return text;
}

void bars_settle(struct bars_model *m)
{
	for (size_t p = 0; p < m->n_panels; p++)
		settle_axis(m, p);
	for (size_t p = 1; m->one_axis && p < m->n_panels; p++) {
		struct bars_panel *first = &m->panels[0];

		first->foot = fmin(first->foot, m->panels[p].foot);
		first->most = fmax(first->most, m->panels[p].most);
		first->linear &= m->panels[p].linear;
	}
	for (size_t p = 1; m->one_axis && p < m->n_panels; p++) {
		m->panels[p].foot = m->panels[0].foot;
		m->panels[p].most = m->panels[0].most;
		m->panels[p].linear = m->panels[0].linear;
	}
	for (size_t p = 0; p < m->n_panels; p++)
		if (m->panels[p].linear)
			m->panels[p].foot = 0;
	if (!m->remark)
		m->remark = remark(m);
}

void bars_free(struct bars_model *m)
{
	for (size_t i = 0; i < m->n_groups; i++)
		free(m->groups[i].label);
	for (size_t i = 0; i < m->n_series; i++) {
		free(m->series[i].legend);
	}
	free(m->groups);
	free(m->series);
	free(m->bars);
	free(m->title);
	free(m->subtitle);
	free(m->remark);
	free(m->relative);
	*m = (struct bars_model){ 0 };
}
