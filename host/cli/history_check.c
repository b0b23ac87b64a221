/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history check`: what changed, by whom, how much; and the verdict. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/history.h"
#include "host/lib/message.h"

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

static int rank(enum history_kind kind)
{
	static const int ranks[] = {
		[HISTORY_WORSE] = 0,
		[HISTORY_CHANGED] = 1,
		[HISTORY_BETTER] = 2,
	};

	return ranks[kind];
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
	if (a->kind != b->kind)
		return rank(a->kind) - rank(b->kind);
	r = changepoint_magnitude(history_change(a));
	s = changepoint_magnitude(history_change(b));
	if (r != s)
		return r > s ? -1 : 1;
	return a->series < b->series ? -1 : a->series > b->series;
}

/* What a threshold covers of the figure before, it lets pass. */
static const struct threshold *let_pass(const struct history_args *args,
					const struct history_series *s, size_t k)
{
	const struct changepoint *c = &s->changes[k];
	const struct threshold *t = threshold_find(
		args->gate.thresholds, args->gate.n_thresholds, s->benchmark, s->unit);

	return t && history_kind(s, k) == HISTORY_WORSE &&
			       threshold_covers(t, c->after - c->before, c->before)
		       ? t
		       : NULL;
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
				.kind = history_kind(s, k),
				.recent = history_is_recent(h, history_new_run(h, s, k),
							    args->last),
				.let_pass = let_pass(args, s, k),
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
		const struct history_alarm *a = &alarms[i];

		t.old += !a->recent;
		if (!a->recent)
			continue;
		t.let_pass += a->let_pass != NULL;
		t.worse += a->kind == HISTORY_WORSE && !a->let_pass;
		t.better += a->kind == HISTORY_BETTER;
		t.changed += a->kind == HISTORY_CHANGED;
	}
	return t;
}

static bool has_benchmark(const struct history *h, const struct threshold *t)
{
	for (size_t i = 0; i < h->n_series; i++)
		if (threshold_names(t, h->series[i].benchmark))
			return true;
	return false;
}

/* False, after a message, where a pattern names no benchmark, here or elsewhere. */
static bool check_thresholds(const struct history_args *args, const struct history *h)
{
	for (size_t i = 0; i < args->gate.n_thresholds; i++) {
		const struct threshold *t = &args->gate.thresholds[i];

		if (threshold_names_any(t) || has_benchmark(h, t))
			continue;
		message_error("%s: --threshold %s: no benchmark matches '%s'", args->db,
			      t->text, t->pattern);
		return false;
	}
	return true;
}

static enum cli_exit verdict(const struct history_args *args,
			     const struct history_alarm *alarms, size_t n,
			     const struct history_tally *t)
{
	bool unsure = false;

	if (args->gate.fail_on_changed && t->changed)
		return CLI_WORSE;

	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];

		if (a->kind != HISTORY_WORSE || !a->recent || a->let_pass)
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
	struct history_alarm *alarms;

	if (!check_thresholds(args, h))
		return CLI_USAGE;
	alarms = history_alarms(args, h, &n);
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
	code = verdict(args, alarms, n, &t);
	free(alarms);
	return code;
}
