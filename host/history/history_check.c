/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history check`: the changes of the selected series, thresholds, and the verdict. */
#include "host/history/history.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

const char **history_split(char *list)
{
	size_t n = 1;
	const char **parts;

	for (const char *c = list; *c; c++)
		n += *c == ',';
	parts = calloc(n + 1, sizeof(*parts));
	if (!parts)
		abort();
	for (n = 0; list;)
		parts[n++] = strsep(&list, ",");
	return parts;
}

static bool glob_matches(const char *pattern, const char *name)
{
	return !fnmatch(pattern, name, 0);
}

/* Whether a name matches one of a comma-separated list of patterns; NULL: all match. */
static bool fits(const char *patterns, const char *name,
		 bool (*matches)(const char *word, const char *name))
{
	const char **parts;
	char *copy;
	bool found = false;

	if (!patterns)
		return true;
	copy = strdup(patterns);
	if (!copy)
		abort();
	parts = history_split(copy);
	for (size_t i = 0; parts[i] && !found; i++)
		found = matches(parts[i], name);
	free(parts);
	free(copy);
	return found;
}

bool history_selects_row(const struct history_query *q, const char *target,
			 const char *benchmark, const char *config)
{
	return fits(q->targets, target, glob_matches) &&
	       fits(q->benches, benchmark, result_bench_matches) &&
	       fits(q->configs, config, glob_matches);
}

bool history_selects(const struct history_query *q, const struct history *h,
		     const struct history_series *s)
{
	return history_selects_row(q, h->places[s->place].target, s->benchmark,
				   s->config) &&
	       fits(q->metrics, s->metric, glob_matches);
}

const struct changepoint *history_change(const struct history_alarm *a)
{
	return &a->series->changes[a->k];
}

static size_t new_run(const struct history_alarm *a)
{
	return a->series->points[history_change(a)->index].run;
}

bool history_is_open(const struct history_alarm *a)
{
	return history_change(a)->single && a->confirmed != HISTORY_CONFIRMED;
}

enum history_confirmed history_confirm_noise(const struct history_alarm *a, double fresh,
					     double step,
					     const struct changepoint_rules *rules)
{
	const struct history_series *s = a->series;
	size_t start = a->k ? s->changes[a->k - 1].index : 0;
	size_t end = history_change(a)->index, n = 0;
	struct student_sample before, now = { .n = 1, .mean = fresh };
	double *values = calloc(2 * (end - start), sizeof(*values));
	double *steps;
	struct changepoint c = { .after = fresh };

	if (!values)
		abort();
	steps = values + (end - start);
	for (size_t i = start; i < end; i++)
		if (!s->points[i].outlier) {
			values[n] = s->points[i].value;
			steps[n++] = s->points[i].quantum;
		}
	before = student_sample(values, n, 1);
	c.before = before.mean;
	step = fmax(step, stats_median(steps, n));
	free(values);
	if (!(s->lower_is_better ? fresh > c.before : fresh < c.before) ||
	    changepoint_magnitude(&c) < rules->magnitude ||
	    student_p(&before, &now, s->quantum * s->quantum / 12) >= rules->pvalue)
		return HISTORY_REFUTED;
	return fabs(fresh - c.before) >= rules->quanta * step ? HISTORY_CONFIRMED
							      : HISTORY_UNDECIDED;
}

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

/* By place, by run, the recent ones first, then the worst first. */
static int by_weight(const void *x, const void *y)
{
	const struct history_alarm *a = x, *b = y;
	double r, s;

	if (a->series->place != b->series->place)
		return a->series->place < b->series->place ? -1 : 1;
	if (new_run(a) != new_run(b))
		return new_run(a) < new_run(b) ? -1 : 1;
	if (a->recent != b->recent)
		return a->recent ? -1 : 1;
	if (a->kind != b->kind)
		return rank(a->kind) - rank(b->kind);
	r = changepoint_magnitude(history_change(a));
	s = changepoint_magnitude(history_change(b));
	if (r != s)
		return r > s ? -1 : 1;
	return a->series < b->series ? -1 : a->series > b->series;
}

/* The threshold that covers a change for worse; NULL. */
static const struct threshold *let_pass(const struct history_query *q,
					const struct history_series *s, size_t k)
{
	const struct changepoint *c = &s->changes[k];
	const struct threshold *t =
		threshold_find(q->thresholds, q->n_thresholds, s->benchmark, s->unit);

	return t && history_kind(s, k) == HISTORY_WORSE &&
			       threshold_covers(t, c->after - c->before, c->before)
		       ? t
		       : NULL;
}

static size_t distance(const struct changepoint *a, const struct changepoint *b)
{
	return a->index > b->index ? a->index - b->index : b->index - a->index;
}

/*
 * Whether `old` is `c` as it was found without the newest runs. A change that became more
 * than twice as large is another one, and a change of a single run was not yet decided.
 */
static bool is_same(const struct changepoint *old, const struct changepoint *c)
{
	double was = old->after - old->before, is = c->after - c->before;

	return (was > 0) == (is > 0) && 2 * fabs(was) >= fabs(is) &&
	       (!old->single || c->single);
}

/*
 * A change of distribution within so many runs of one that was found before is that one.
 * The figure, which moves a little with the distribution, can be found later; or before.
 */
#define DISTRIBUTION_NEAR 8
#define FIGURE_NEAR	  3
#define FIGURE_LEAST	  0.05

static void find_old_distribution(const struct changepoint *old,
				  struct history_alarm *alarms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct changepoint *c = history_change(&alarms[i]);
		bool same = false;

		if (c->of == old->of)
			same = c->of != CHANGEPOINT_OF_MEAN &&
			       distance(c, old) <= DISTRIBUTION_NEAR;
		else if (distance(c, old) <= FIGURE_NEAR)
			same = c->of != CHANGEPOINT_OF_MEAN
				       ? !old->single
				       : alarms[i].kind != HISTORY_CHANGED &&
						 !c->single &&
						 changepoint_magnitude(c) < FIGURE_LEAST;
		if (same)
			alarms[i].recent = false;
	}
}

/*
 * Sets `recent` of the alarms of a series in noise: a change is recent if it is not found
 * without the newest runs, whichever run it begins with. More runs can move a change by
 * a few runs: an earlier change is compared with the nearest one of now.
 */
static void find_recent(const struct history_query *q, const struct history *h,
			struct history_alarm *alarms, size_t n)
{
	const struct history_series *s = alarms->series;
	size_t n_old, near = 0;
	struct changepoint *old = history_changes_before(h, s, q->last, &n_old);

	for (size_t i = 0; i < n_old; i++) {
		find_old_distribution(&old[i], alarms, n);
		if (old[i].of != CHANGEPOINT_OF_MEAN)
			continue;
		while (near + 1 < n && distance(&old[i], &s->changes[near + 1]) <
					       distance(&old[i], &s->changes[near]))
			near++;
		if (alarms[near].kind != HISTORY_CHANGED &&
		    is_same(&old[i], &s->changes[near]))
			alarms[near].recent = false;
	}
	free(old);
}

struct history_alarm *history_alarms(const struct history_query *q,
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

		if (!history_selects(q, h, s))
			continue;
		for (size_t k = 0; k < s->n_changes; k++) {
			struct history_alarm a = {
				.series = s,
				.k = k,
				.kind = history_kind(s, k),
				.let_pass = let_pass(q, s, k),
			};

			/* Without noise, the first run after a change decides. */
			a.recent =
				(s->method == HISTORY_NOISE &&
				 (a.kind != HISTORY_CHANGED ||
				  s->changes[k].of != CHANGEPOINT_OF_MEAN)) ||
				history_is_recent(h, history_new_run(h, s, k), q->last);
			alarms[*n + k] = a;
		}
		if (q->last && s->method == HISTORY_NOISE && s->n_changes)
			find_recent(q, h, alarms + *n, s->n_changes);
		*n += s->n_changes;
	}
	qsort(alarms, *n, sizeof(*alarms), by_weight);
	return alarms;
}

/* The history has a better resolved series of the row, or this is it. */
static bool has_batch(const struct history *h, const struct history_series *s)
{
	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *other = &h->series[i];

		if (other->place == s->place && !strcmp(other->metric, RESULT_BATCH) &&
		    !strcmp(other->benchmark, s->benchmark) &&
		    !strcmp(other->config, s->config))
			return true;
	}
	return false;
}

/* As find_recent(): those that are not found without the newest runs. */
static void mark_old(const struct history_query *q, const struct history *h,
		     const struct history_series *s, bool *is_old)
{
	size_t n_old, near = 0;
	struct changepoint *old = history_hidden_before(h, s, q->last, &n_old);

	for (size_t i = 0; i < n_old; i++) {
		while (near + 1 < s->n_hidden &&
		       distance(&old[i], &s->hidden[near + 1]) <
			       distance(&old[i], &s->hidden[near]))
			near++;
		is_old[near] |= is_same(&old[i], &s->hidden[near]);
	}
	free(old);
}

struct history_hidden *history_hidden(const struct history_query *q,
				      const struct history *h, size_t *n)
{
	struct history_hidden *out;
	size_t room = 1;
	bool *is_old;

	for (size_t i = 0; i < h->n_series; i++)
		room += h->series[i].n_hidden;
	out = calloc(room, sizeof(*out));
	is_old = calloc(room, sizeof(*is_old));
	if (!out || !is_old)
		abort();
	*n = 0;
	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];
		const struct threshold *t = threshold_find(q->thresholds, q->n_thresholds,
							   s->benchmark, s->unit);

		if (!s->n_hidden || !history_selects(q, h, s))
			continue;
		memset(is_old, 0, s->n_hidden * sizeof(*is_old));
		if (q->last)
			mark_old(q, h, s, is_old);
		for (size_t k = 0; k < s->n_hidden; k++) {
			const struct changepoint *c = &s->hidden[k];
			bool worse = (c->after > c->before) == s->lower_is_better;

			if (is_old[k])
				continue;
			out[(*n)++] = (struct history_hidden){
				.series = s,
				.change = c,
				.worse = worse,
				.has_batch = has_batch(h, s),
				.let_pass =
					t && worse &&
							threshold_covers(
								t, c->after - c->before,
								c->before)
						? t
						: NULL,
			};
		}
	}
	free(is_old);
	return out;
}

struct history_tally history_tally(const struct history_query *q, const struct history *h,
				   const struct history_alarm *alarms, size_t n)
{
	struct history_tally t = { 0 };
	struct history_hidden *hidden = history_hidden(q, h, &t.hidden);

	for (size_t i = 0; i < t.hidden; i++)
		t.hidden_worse += hidden[i].worse && !hidden[i].let_pass;
	free(hidden);
	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_selects(q, h, &h->series[i]))
			continue;
		t.series++;
		t.unjudged += h->series[i].method == HISTORY_TOO_FEW;
		t.gone += !history_is_current(h, &h->series[i]);
		for (size_t k = 0; k < h->series[i].n_points; k++)
			t.outliers += h->series[i].points[k].outlier;
	}
	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];

		t.old += !a->recent;
		if (!a->recent)
			continue;
		t.let_pass += a->let_pass != NULL;
		if (history_is_open(a)) {
			t.single += !a->let_pass;
			continue;
		}
		t.worse += a->kind == HISTORY_WORSE && !a->let_pass;
		t.better += a->kind == HISTORY_BETTER;
		if (history_change(a)->of != CHANGEPOINT_OF_MEAN)
			t.distribution++;
		else
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

int history_check_thresholds(const struct history_query *q, const struct history *h,
			     struct error *err)
{
	for (size_t i = 0; i < q->n_thresholds; i++) {
		const struct threshold *t = &q->thresholds[i];

		if (!threshold_names_any(t) && !has_benchmark(h, t))
			return error_set(err, -EINVAL,
					 "--threshold %s: no benchmark matches '%s'",
					 t->text, t->pattern);
	}
	return 0;
}

enum history_outcome history_outcome(const struct history_alarm *alarms, size_t n,
				     const struct history_tally *t)
{
	bool unsure = false;

	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];

		if (a->kind != HISTORY_WORSE || !a->recent || a->let_pass)
			continue;
		if (a->confirmed == HISTORY_CONFIRMED ||
		    (a->confirmed == HISTORY_UNTRIED && !history_change(a)->single))
			return HISTORY_REGRESSION;
		/* Fresh boots show that the figure was an outlier. */
		if (a->confirmed == HISTORY_REFUTED && history_change(a)->single)
			continue;
		unsure = true;
	}
	unsure |= t->hidden_worse > 0 || t->unjudged == t->series;
	return unsure ? HISTORY_UNSURE : HISTORY_PASS;
}
