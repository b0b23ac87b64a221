/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history check`: what changed, by whom, how much; and the verdict. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/history.h"
#include "host/cli/message.h"

const struct changepoint *history_change(const struct history_alarm *a)
{
	return &a->series->changes[a->k];
}

static size_t new_run(const struct history_alarm *a)
{
	return a->series->points[history_change(a)->index].run;
}

/* NAN where it came from nothing. */
double history_relative(const struct changepoint *c)
{
	return c->before == 0 ? NAN : (c->after - c->before) / fabs(c->before);
}

/* By place, then in the order of the history, the worst first. */
static int by_weight(const void *x, const void *y)
{
	const struct history_alarm *a = x, *b = y;
	double r, s;

	if (a->series->place != b->series->place)
		return a->series->place < b->series->place ? -1 : 1;
	if (new_run(a) != new_run(b))
		return new_run(a) < new_run(b) ? -1 : 1;
	if (a->worse != b->worse)
		return a->worse ? -1 : 1;
	r = changepoint_magnitude(history_change(a));
	s = changepoint_magnitude(history_change(b));
	if (r != s)
		return r > s ? -1 : 1;
	return a->series < b->series ? -1 : a->series > b->series;
}

struct history_alarm *history_alarms(const struct history_args *args,
				     const struct history *h, size_t *n)
{
	struct history_alarm *alarms;
	size_t room = 1;

	for (size_t i = 0; i < h->n_series; i++)
		room += h->series[i].n_changes;
	alarms = calloc(room, sizeof(*alarms));
	if (!alarms)
		abort();
	*n = 0;
	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];

		if (!history_wanted(args, h, s))
			continue;
		for (size_t k = 0; k < s->n_changes; k++)
			alarms[(*n)++] = (struct history_alarm){
				.series = s,
				.k = k,
				.worse = history_worse(s, k),
				.recent = history_is_recent(h, history_new_run(h, s, k),
							    args->last),
			};
	}
	qsort(alarms, *n, sizeof(*alarms), by_weight);
	return alarms;
}

struct history_tally history_tally(const struct history_args *args,
				   const struct history *h,
				   const struct history_alarm *alarms, size_t n)
{
	struct history_tally t = { 0 };

	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_wanted(args, h, &h->series[i]))
			continue;
		t.series++;
		t.unjudged += h->series[i].method == HISTORY_TOO_FEW;
		t.gone += !history_is_current(h, &h->series[i]);
	}
	for (size_t i = 0; i < n; i++) {
		t.old += !alarms[i].recent;
		t.worse += alarms[i].recent && alarms[i].worse;
		t.better += alarms[i].recent && !alarms[i].worse;
	}
	return t;
}

static enum cli_exit verdict(const struct history_alarm *alarms, size_t n,
			     const struct history_tally *t)
{
	bool unsure = false;

	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];

		if (!a->worse || !a->recent)
			continue;
		if (a->confirmed == HISTORY_UNTRIED || a->confirmed == HISTORY_CONFIRMED)
			return CLI_WORSE;
		unsure = true;
	}
	return unsure || t->unjudged == t->series ? CLI_UNTRUSTED : CLI_OK;
}

enum cli_exit history_check(const struct history_args *args, struct history *h)
{
	enum cli_exit code;
	struct history_tally t;
	size_t n;
	struct history_alarm *alarms = history_alarms(args, h, &n);

	t = history_tally(args, h, alarms, n);
	if (!t.series) {
		free(alarms);
		message_error("%s has no such series", args->db);
		return CLI_USAGE;
	}
	if (args->confirm)
		history_confirm(args, h, alarms, n);
	if (args->json)
		history_check_json(args, h, alarms, n);
	else
		history_check_print(args, h, alarms, n);
	code = verdict(alarms, n, &t);
	free(alarms);
	return code;
}
