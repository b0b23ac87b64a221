/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The changes of the series of a history. */
#include "host/history/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"

const struct changepoint_rules history_rules = {
	.window = 50,
	.pvalue = 1e-4,
	.magnitude = 0.01,
	.quanta = 2,
};

/* Buffers for the longest series. */
struct buffers {
	double *values, *lo, *hi;
	bool *outlier;
};

static void buffers_free(struct buffers *b)
{
	free(b->values);
	free(b->outlier);
}

static bool buffers_new(struct buffers *b, size_t n)
{
	b->values = calloc(3 * n, sizeof(*b->values));
	b->outlier = calloc(n, sizeof(*b->outlier));
	if (!b->values || !b->outlier) {
		buffers_free(b);
		return false;
	}
	b->lo = b->values + n;
	b->hi = b->lo + n;
	return true;
}

/* Exact series: the points of a subject share the range over all of its runs. */
static void fill(const struct history *h, const struct history_series *s,
		 const struct buffers *b)
{
	for (size_t i = 0, end; i < s->n_points; i = end) {
		size_t subject = h->runs[s->points[i].run].subject;
		double lo = INFINITY, hi = -INFINITY;

		/* Runs of one subject by one program are adjacent. */
		for (end = i;
		     end < s->n_points && h->runs[s->points[end].run].subject == subject;
		     end++) {
			const struct history_point *p = &s->points[end];

			b->values[end] = p->value;
			lo = fmin(lo, isnan(p->lo) ? p->value : p->lo);
			hi = fmax(hi, isnan(p->hi) ? p->value : p->hi);
		}
		for (size_t k = i; k < end; k++) {
			b->lo[k] = lo;
			b->hi[k] = hi;
		}
	}
}

/* The last known class before point `i`; NULL. */
static const struct result_class *class_before(const struct history_series *s, size_t i)
{
	while (i-- > 0)
		if (result_class_is_known(&s->points[i].class))
			return &s->points[i].class;
	return NULL;
}

static bool class_changes(const struct history_series *s, size_t i)
{
	const struct result_class *was;

	if (!result_class_is_known(&s->points[i].class))
		return false;
	was = class_before(s, i);
	return was && result_class_differs(was, &s->points[i].class);
}

/* The first point after `start` with another class, or the end. */
static size_t class_end(const struct history_series *s, size_t start)
{
	const struct result_class *was = &s->points[start].class;

	for (size_t i = start + 1; i < s->n_points; i++) {
		const struct result_class *now = &s->points[i].class;

		if (result_class_differs(was, now))
			return i;
		if (result_class_is_known(now))
			was = now;
	}
	return s->n_points;
}

static double mean(const double *values, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += values[i];
	return sum / (double)(to - from);
}

/* Appends the changes within the points [start, end) of one class. */
static int judge_class(struct history_series *s, const struct changepoint_rules *rules,
		       const struct buffers *b, size_t start, size_t end)
{
	struct changepoint *out = &s->changes[s->n_changes];
	size_t least = rules->otava ? 3 : CHANGEPOINT_BEFORE + 1, found = 0;
	int rc = 0;

	if (s->method == HISTORY_STEPS)
		found = changepoint_ranges(b->lo + start, b->hi + start, end - start,
					   out);
	else if (end - start >= least)
		rc = changepoint_find(b->values + start, end - start, rules, out, &found,
				      b->outlier + start);
	/* A last figure before another class: no later figure of its class can confirm
	 * it. */
	if (found && out[found - 1].single && end < s->n_points)
		b->outlier[start + out[--found].index] = true;
	if (s->method == HISTORY_NOISE && !rules->otava)
		changepoint_trends(b->values + start, b->outlier + start, end - start,
				   rules->window, out, found);
	for (size_t k = 0; k < found; k++)
		out[k].index += start;
	s->n_changes += found;
	return rc;
}

/* A change of class is from the mean of the stretch before to the mean after. */
static void fill_class_changes(struct history_series *s, const struct buffers *b)
{
	for (size_t k = 0; k < s->n_changes; k++) {
		struct changepoint *c = &s->changes[k];
		size_t from = k ? c[-1].index : 0;
		size_t to = k + 1 < s->n_changes ? c[1].index : s->n_points;

		if (!class_changes(s, c->index))
			continue;
		c->before = mean(b->values, from, c->index);
		c->after = mean(b->values, c->index, to);
	}
}

static enum history_method method(const struct history *h, const struct history_series *s,
				  const struct changepoint_rules *rules)
{
	size_t least = rules->otava ? 3 : CHANGEPOINT_BEFORE + 1;

	if (h->places[s->place].exact && !rules->otava)
		return s->n_points > 1 ? HISTORY_STEPS : HISTORY_TOO_FEW;
	if (!rules->otava && class_end(s, 0) < s->n_points)
		return HISTORY_NOISE;
	return s->n_points >= least ? HISTORY_NOISE : HISTORY_TOO_FEW;
}

static double quantum_of_stretch(const struct history_series *s, size_t start, size_t end,
				 double *work)
{
	for (size_t i = start; i < end; i++)
		work[i - start] = s->points[i].quantum;
	return stats_median(work, end - start);
}

/* Whether a change between [start, index) and [index, end) has the steps to be seen. */
static bool is_visible(const struct history_series *s, const struct changepoint *c,
		       size_t start, size_t end, double quanta, double *work)
{
	double quantum = fmax(quantum_of_stretch(s, start, c->index, work),
			      quantum_of_stretch(s, c->index, end, work));

	return fabs(c->after - c->before) >= quanta * quantum;
}

/*
 * Where the clock changed, a change must be visible on both sides: by the median quantum
 * of the stretch before and of the stretch after. A removed change joins two stretches,
 * so the change before is tested again.
 */
static void drop_invisible(struct history_series *s, double quanta, double *work)
{
	for (size_t k = 0; k < s->n_changes;) {
		struct history_stretch old = history_stretch(s, k);
		struct history_stretch new = history_stretch(s, k + 1);
		struct changepoint *c = &s->changes[k];

		if (class_changes(s, c->index) ||
		    is_visible(s, c, old.start, new.end, quanta, work)) {
			k++;
			continue;
		}
		memmove(c, c + 1, (--s->n_changes - k) * sizeof(*c));
		new = history_stretch(s, k);
		if (k < s->n_changes)
			c->before = new.mean;
		if (k)
			s->changes[--k].after = new.mean;
	}
}

/*
 * Whether two steps of the clock of any of the points can be more than the least change
 * that is reported otherwise: without it, nothing that is found is within two steps.
 */
static bool can_hide(const struct history_series *s,
		     const struct changepoint_rules *rules, size_t start, size_t end)
{
	double quantum = 0, least = INFINITY;

	for (size_t i = start; i < end; i++) {
		quantum = fmax(quantum, s->points[i].quantum);
		least = fmin(least, fabs(s->points[i].value));
	}
	return rules->quanta * quantum > rules->magnitude * least;
}

static double mean_inside(const struct buffers *b, size_t from, size_t to)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		if (!b->outlier[i]) {
			sum += b->values[i];
			n++;
		}
	return n ? sum / (double)n : mean(b->values, from, to);
}

static double size_of(const struct changepoint *c)
{
	return fabs(c->after - c->before);
}

/*
 * Leaves the changes of [start, end) that are within the steps of the clocks of both
 * sides. A larger one was not a change because it was joined with a neighbour, which it
 * is here, too. Without neighbours, the steps do not explain it. Returns their number.
 */
static size_t keep_within_steps(const struct history_series *s, double quanta,
				const struct buffers *b, size_t start, size_t end,
				struct changepoint *c, size_t n)
{
	for (size_t k = 0; k < n;) {
		size_t from = k ? c[k - 1].index : start, to, drop = k;

		to = k + 1 < n ? c[k + 1].index : end;
		if (!is_visible(s, &c[k], from, to, quanta, b->lo)) {
			k++;
			continue;
		}
		if (k + 1 < n)
			drop = k + 1;
		if (k && (drop == k || size_of(&c[k - 1]) < size_of(&c[k + 1])))
			drop = k - 1;
		memmove(&c[drop], &c[drop + 1], (--n - drop) * sizeof(*c));
		from = drop ? c[drop - 1].index : start;
		to = drop < n ? c[drop].index : end;
		if (drop < n)
			c[drop].before = mean_inside(b, from, to);
		k = drop;
		if (k)
			c[--k].after = mean_inside(b, from, to);
	}
	return n;
}

/*
 * The changes that the clock hides: those that are found between the others, if the least
 * number of steps is ignored. One of the newest run alone is left to the next run.
 */
static int find_hidden(struct history_series *s, const struct changepoint_rules *rules,
		       const struct buffers *b)
{
	struct changepoint_rules own = *rules;
	int rc = 0;

	own.quanta = 0;
	s->hidden = calloc(s->n_points + 1, sizeof(*s->hidden));
	if (!s->hidden)
		return -ENOMEM;
	for (size_t k = 0; k <= s->n_changes && !rc; k++) {
		struct history_stretch part = history_stretch(s, k);
		struct changepoint *out = &s->hidden[s->n_hidden];
		size_t n = part.end - part.start, found = 0;

		if (n <= CHANGEPOINT_BEFORE || !can_hide(s, rules, part.start, part.end))
			continue;
		rc = changepoint_find(b->values + part.start, n, &own, out, &found,
				      b->outlier + part.start);
		if (found && out[found - 1].single)
			found--;
		for (size_t i = 0; i < found; i++)
			out[i].index += part.start;
		s->n_hidden += keep_within_steps(s, rules->quanta, b, part.start,
						 part.end, out, found);
	}
	return rc;
}

static bool one_clock(const struct history_series *s)
{
	for (size_t i = 0; i < s->n_points; i++)
		if (s->points[i].quantum != s->quantum)
			return false;
	return true;
}

static int by_index(const void *a, const void *b)
{
	const struct changepoint *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* Adds the changes of distribution, between the others. */
static int judge_distribution(const struct history *h, struct history_series *s,
			      const struct changepoint_rules *rules)
{
	size_t n = s->n_changes;
	int rc = 0;

	for (size_t k = 0, start = 0; k <= n && !rc; k++) {
		size_t end = k < n ? s->changes[k].index : s->n_points, found;

		rc = history_judge_distribution(h, s, rules, start, end,
						&s->changes[s->n_changes], &found);
		s->n_changes += found;
		start = end;
	}
	if (s->n_changes == n)
		return rc;
	qsort(s->changes, s->n_changes, sizeof(*s->changes), by_index);
	for (size_t k = 0; k < s->n_changes; k++) {
		if (s->changes[k].of == CHANGEPOINT_OF_MEAN)
			continue;
		s->changes[k].before = history_stretch(s, k).mean;
		s->changes[k].after = history_stretch(s, k + 1).mean;
	}
	return rc;
}

static int judge(const struct history *h, struct history_series *s,
		 const struct changepoint_rules *rules, const struct buffers *b)
{
	struct changepoint_rules own = *rules, any;
	bool mixed = false;
	int rc = 0;

	own.quantum = s->quantum;
	free(s->hidden);
	s->hidden = NULL;
	s->n_hidden = 0;
	s->ignores_class = rules->otava;
	s->method = method(h, s, rules);
	if (s->method == HISTORY_TOO_FEW)
		return 0;
	fill(h, s, b);
	memset(b->outlier, 0, s->n_points * sizeof(*b->outlier));
	free(s->changes);
	s->changes = calloc(s->n_points, sizeof(*s->changes));
	if (!s->changes)
		return -ENOMEM;
	s->n_changes = 0;
	/* Of several clocks, a change is judged by those of its runs. */
	any = own;
	if (s->method == HISTORY_NOISE && !rules->otava && !one_clock(s)) {
		mixed = true;
		any.quanta = 0;
	}
	for (size_t start = 0, end; start < s->n_points && !rc; start = end) {
		end = rules->otava ? s->n_points : class_end(s, start);
		if (start)
			s->changes[s->n_changes++] =
				(struct changepoint){ .index = start };
		rc = judge_class(s, &any, b, start, end);
	}
	for (size_t i = 0; i < s->n_points; i++)
		s->points[i].outlier = b->outlier[i];
	if (mixed)
		drop_invisible(s, rules->quanta, b->lo);
	if (s->method == HISTORY_NOISE && !rules->otava && !rc)
		rc = find_hidden(s, &own, b);
	if (!rules->otava)
		fill_class_changes(s, b);
	if (!rules->otava && !rc)
		rc = judge_distribution(h, s, &own);
	return rc;
}

int history_judge(struct history *h, const struct changepoint_rules *rules)
{
	struct buffers b;
	size_t most = 1;
	int rc = 0;

	h->rules = *rules;
	for (size_t i = 0; i < h->n_series; i++)
		if (h->series[i].n_points > most)
			most = h->series[i].n_points;
	if (!buffers_new(&b, most))
		return -ENOMEM;
	for (size_t i = 0; i < h->n_series && !rc; i++)
		rc = judge(h, &h->series[i], rules, &b);
	buffers_free(&b);
	return rc;
}

/* The changes, or those that the clock hides, without the newest runs. */
static struct changepoint *before(const struct history *h, const struct history_series *s,
				  size_t last, bool hidden, size_t *n)
{
	struct history_series before = *s;
	size_t *index = calloc(s->n_points + 1, sizeof(*index));
	struct changepoint *out;
	struct buffers b;

	before.points = calloc(s->n_points + 1, sizeof(*before.points));
	before.changes = before.hidden = NULL;
	before.n_changes = before.n_hidden = before.n_points = 0;
	if (!index || !before.points || !buffers_new(&b, s->n_points + 1))
		abort();
	for (size_t i = 0; i < s->n_points; i++) {
		if (history_is_recent(h, &h->runs[s->points[i].run], last))
			continue;
		index[before.n_points] = i;
		before.points[before.n_points++] = s->points[i];
	}
	if (before.n_points && judge(h, &before, &h->rules, &b))
		abort();
	out = hidden ? before.hidden : before.changes;
	*n = hidden ? before.n_hidden : before.n_changes;
	for (size_t k = 0; k < *n; k++)
		out[k].index = index[out[k].index];
	free(hidden ? before.changes : before.hidden);
	buffers_free(&b);
	free(before.points);
	free(index);
	return out;
}

struct changepoint *history_changes_before(const struct history *h,
					   const struct history_series *s, size_t last,
					   size_t *n)
{
	return before(h, s, last, false, n);
}

struct changepoint *history_hidden_before(const struct history *h,
					  const struct history_series *s, size_t last,
					  size_t *n)
{
	return before(h, s, last, true, n);
}

enum history_kind history_kind(const struct history_series *s, size_t k)
{
	const struct changepoint *c = &s->changes[k];
	bool up = c->after > c->before;

	if (c->of != CHANGEPOINT_OF_MEAN ||
	    (!s->ignores_class && class_changes(s, c->index)))
		return HISTORY_CHANGED;
	return up == s->lower_is_better ? HISTORY_WORSE : HISTORY_BETTER;
}

const char *history_kind_name(enum history_kind kind)
{
	static const char *const names[] = {
		[HISTORY_WORSE] = "worse",
		[HISTORY_BETTER] = "better",
		[HISTORY_CHANGED] = "changed",
	};

	return names[kind];
}

void history_class_change(const struct history_series *s, size_t k, char *text,
			  size_t bytes)
{
	size_t at = s->changes[k].index;

	*text = '\0';
	if (s->changes[k].of == CHANGEPOINT_OF_MEAN &&
	    history_kind(s, k) == HISTORY_CHANGED)
		result_class_change(class_before(s, at), &s->points[at].class, text,
				    bytes);
}

bool history_is_of_ranges(const struct history_series *s, size_t k, uint32_t *boots)
{
	size_t start = k ? s->changes[k - 1].index : 0;
	size_t end = k + 1 < s->n_changes ? s->changes[k + 1].index : s->n_points;
	const struct history_point *new = &s->points[s->changes[k].index];
	bool ranges = false;

	*boots = new->boots < new[-1].boots ? new->boots : new[-1].boots;
	for (size_t i = start; s->method == HISTORY_STEPS && i < end && !ranges; i++)
		ranges = s->points[i].lo < s->points[i].hi;
	return ranges;
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

struct history_stretch history_stretch(const struct history_series *s, size_t k)
{
	struct history_stretch out = {
		.start = k ? s->changes[k - 1].index : 0,
		.end = k < s->n_changes ? s->changes[k].index : s->n_points,
		.lo = NAN,
		.hi = NAN,
	};

	for (size_t i = out.start; i < out.end; i++) {
		const struct history_point *p = &s->points[i];

		out.outliers += p->outlier;
		if (!p->outlier)
			out.mean += p->value;
		if (s->method != HISTORY_STEPS)
			continue;
		out.lo = fmin(out.lo, isnan(p->lo) ? p->value : p->lo);
		out.hi = fmax(out.hi, isnan(p->hi) ? p->value : p->hi);
	}
	/* The newest run alone can be an outlier and a change. */
	if (out.outliers == out.end - out.start) {
		out.outliers = 0;
		for (size_t i = out.start; i < out.end; i++)
			out.mean += s->points[i].value;
	}
	out.mean /= (double)(out.end - out.start - out.outliers);
	return out;
}

bool history_is_current(const struct history *h, const struct history_series *s)
{
	/* The newest run is usually the last. */
	for (size_t i = s->n_points; i-- > 0;)
		if (history_is_recent(h, &h->runs[s->points[i].run], 1))
			return true;
	return false;
}
