/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a history's series change. */
#include "host/claim/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

const struct changepoint_rules history_rules = {
	.window = 50,
	.pvalue = 1e-4,
	.magnitude = 0.01,
	.quanta = 2,
};

static bool boots_agree(const struct history_series *s)
{
	for (size_t i = 0; i < s->n_points; i++)
		if (s->points[i].lo != s->points[i].hi && !isnan(s->points[i].lo))
			return false;
	return true;
}

/* Runs of one subject by one program stand side by side. */
static bool runs_agree(const struct history *h, const struct history_series *s)
{
	for (size_t i = 1; i < s->n_points; i++) {
		const struct history_point *a = &s->points[i - 1], *b = &s->points[i];

		if (h->runs[a->run].subject == h->runs[b->run].subject &&
		    a->value != b->value)
			return false;
	}
	return true;
}

static enum history_method method(const struct history *h, const struct history_series *s,
				  const struct changepoint_rules *rules)
{
	size_t least = rules->otava ? 3 : CHANGEPOINT_BEFORE + 1;

	if (h->places[s->place].exact && !rules->otava && boots_agree(s) &&
	    runs_agree(h, s))
		return s->n_points > 1 ? HISTORY_STEPS : HISTORY_TOO_FEW;
	return s->n_points >= least ? HISTORY_NOISE : HISTORY_TOO_FEW;
}

static int judge(const struct history *h, struct history_series *s,
		 const struct changepoint_rules *rules, double *values)
{
	struct changepoint_rules own = *rules;
	int rc = 0;

	own.quantum = s->quantum;
	s->method = method(h, s, rules);
	if (s->method == HISTORY_TOO_FEW)
		return 0;
	for (size_t i = 0; i < s->n_points; i++)
		values[i] = s->points[i].value;
	free(s->changes);
	s->changes = calloc(s->n_points, sizeof(*s->changes));
	if (!s->changes)
		return -ENOMEM;
	if (s->method == HISTORY_STEPS)
		s->n_changes = changepoint_steps(values, s->n_points, s->changes);
	else
		rc = changepoint_find(values, s->n_points, &own, s->changes,
				      &s->n_changes);
	return rc;
}

int history_judge(struct history *h, const struct changepoint_rules *rules)
{
	size_t most = 1;
	double *values;
	int rc = 0;

	for (size_t i = 0; i < h->n_series; i++)
		if (h->series[i].n_points > most)
			most = h->series[i].n_points;
	values = calloc(most, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_series && !rc; i++)
		rc = judge(h, &h->series[i], rules, values);
	free(values);
	return rc;
}

bool history_worse(const struct history_series *s, size_t k)
{
	const struct changepoint *c = &s->changes[k];

	return s->lower_is_better ? c->after > c->before : c->after < c->before;
}

const struct history_run *history_new_run(const struct history *h,
					  const struct history_series *s, size_t k)
{
	return &h->runs[s->points[s->changes[k].index].run];
}

const struct history_run *history_old_run(const struct history *h,
					  const struct history_series *s, size_t k)
{
	return &h->runs[s->points[s->changes[k].index - 1].run];
}

bool history_is_recent(const struct history *h, const struct history_run *run,
		       size_t last)
{
	return !last || run->at_place + last >= h->places[run->place].n_runs;
}

bool history_is_current(const struct history *h, const struct history_series *s)
{
	for (size_t i = 0; i < s->n_points; i++)
		if (history_is_recent(h, &h->runs[s->points[i].run], 1))
			return true;
	return false;
}
