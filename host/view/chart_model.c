/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one bar chart shows: which bars, where, how long. */
#include "host/view/chart_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/view/rows.h"

#define GROUP_GAP 0.7 /* between groups, in bars */

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n, size);
	if (!p)
		abort();
	return p;
}

static bool add_bar(struct chart_model *m, size_t d, const struct result_benchmark *b)
{
	const struct result_metric *metric = result_find_metric(b, "round_trip");
	struct chart_bar bar = { .doc = d, .value = NAN, .lo = NAN, .hi = NAN };

	if (b->status == RESULT_SKIP) {
		m->n_skipped++;
		return false;
	}
	bar.failed = b->status == RESULT_FAIL;
	if (!bar.failed && (!metric || isnan(metric->value)))
		return false;
	if (!bar.failed) {
		bar.value = metric->value;
		if (metric->ci.method && metric->ci.hi > metric->ci.lo) {
			bar.lo = metric->ci.lo;
			bar.hi = metric->ci.hi;
		}
	}
	bar.y = m->height + 0.5;
	m->height += 1;
	m->bars = grow(m->bars, m->n_bars + 1, sizeof(*m->bars));
	m->bars[m->n_bars++] = bar;
	return true;
}

static void add_group(struct chart_model *m, const struct rows_row *row)
{
	struct chart_group group = { .top = m->height };
	bool any = false;

	m->height += GROUP_GAP / 2;
	for (size_t d = 0; d < m->n_docs; d++) {
		const struct result_benchmark *b = rows_find(m->docs[d], row);

		if (b && add_bar(m, d, b))
			any = true;
	}
	if (!any) {
		m->height = group.top;
		return;
	}
	m->height += GROUP_GAP / 2;
	group.bottom = m->height;
	group.label = strdup(row->label);
	if (!group.label)
		abort();
	m->groups = grow(m->groups, m->n_groups + 1, sizeof(*m->groups));
	m->groups[m->n_groups++] = group;
}

/* The axis begins at 1, unless that would hide a bar. */
static void settle_axis(struct chart_model *m)
{
	double least = INFINITY;

	for (size_t i = 0; i < m->n_bars; i++) {
		double v = m->bars[i].value;

		if (v > 0 && v < least)
			least = v;
		if (v > m->most)
			m->most = v;
	}
	m->foot = least < 1.5 ? least / 2 : 1;
	if (m->most < 10 * m->foot)
		m->most = 10 * m->foot;
}

void chart_model_build(struct chart_model *m, const char *unit,
		       const struct result *const *docs, size_t n)
{
	struct rows rows;

	*m = (struct chart_model){ .unit = unit };
	m->docs = grow(NULL, n ? n : 1, sizeof(const struct result *));
	for (size_t d = 0; d < n; d++)
		if (docs[d]->clock.unit && !strcmp(docs[d]->clock.unit, unit))
			m->docs[m->n_docs++] = docs[d];
	rows_collect(&rows, m->docs, m->n_docs);
	for (size_t i = 0; i < rows.n; i++)
		add_group(m, &rows.rows[i]);
	rows_free(&rows);
	settle_axis(m);
}

void chart_model_free(struct chart_model *m)
{
	for (size_t i = 0; i < m->n_groups; i++)
		free(m->groups[i].label);
	free(m->groups);
	free(m->bars);
	free(m->docs);
	*m = (struct chart_model){ 0 };
}
