/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Change points: split by windows, test, merge. */
#include "host/stats/changepoint.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/divisive.h"
#include "host/stats/student.h"

/* The change points found so far, ascending; out[] has room for one per value. */
struct search {
	const double *values;
	size_t n;
	const struct changepoint_rules *rules;
	struct changepoint *out;
	size_t n_out;
};

static void compare(const struct search *s, const double *left, size_t n_left,
		    const double *right, size_t n_right, struct changepoint *c)
{
	const struct changepoint_rules *rules = s->rules;
	size_t ddof = rules->otava ? 0 : 1;
	double floor = rules->otava ? 0 : rules->quantum * rules->quantum / 12;
	struct student_sample a = student_sample(left, n_left, ddof);
	struct student_sample b = student_sample(right, n_right, ddof);

	c->pvalue = student_p(&a, &b, floor);
	c->before = a.mean;
	c->after = b.mean;
}

/* Tests the k-th change point against its neighbours. */
static void compare_at(struct search *s, size_t k)
{
	struct changepoint *c = &s->out[k];
	size_t start = k ? s->out[k - 1].index : 0;
	size_t end = k + 1 < s->n_out ? s->out[k + 1].index : s->n;

	compare(s, s->values + start, c->index - start, s->values + c->index,
		end - c->index, c);
}

static void compare_all(struct search *s)
{
	for (size_t k = 0; k < s->n_out; k++)
		compare_at(s, k);
}

/* Adds an index in its place, unless it is there. */
static void add(struct search *s, size_t index)
{
	size_t k = s->n_out;

	while (k && s->out[k - 1].index >= index)
		k--;
	if (k < s->n_out && s->out[k].index == index)
		return;
	memmove(&s->out[k + 1], &s->out[k], (s->n_out - k) * sizeof(*s->out));
	s->out[k] = (struct changepoint){ .index = index };
	s->n_out++;
}

/* A window of the series and the parts it has been split into. */
struct window {
	const double *values;
	size_t n;
	size_t *ends; /* of the parts, ascending; room for n */
	size_t parts;
};

/* The part that splits best, and where; false: each is a single value. */
static bool best_split(const struct window *w, const struct divisive *d, size_t *part,
		       size_t *at)
{
	double best = -1;

	for (size_t k = 0; k < w->parts; k++) {
		size_t start = k ? w->ends[k - 1] : 0, split;
		double statistic;

		if (w->ends[k] - start < 2)
			continue;
		split = divisive_split(d, start, w->ends[k], &statistic);
		if (statistic <= best)
			continue;
		best = statistic;
		*part = k;
		*at = split;
	}
	return best >= 0;
}

/* Splits a window until its best split is not significant. */
static void split_window(const struct search *s, const struct divisive *d, double pvalue,
			 struct window *w)
{
	size_t part = 0, at = 0;

	w->parts = 1;
	w->ends[0] = w->n;
	while (best_split(w, d, &part, &at)) {
		size_t start = part ? w->ends[part - 1] : 0;
		struct changepoint c;

		compare(s, w->values + start, at - start, w->values + at,
			w->ends[part] - at, &c);
		if (c.pvalue > pvalue)
			return;
		memmove(&w->ends[part + 1], &w->ends[part],
			(w->parts++ - part) * sizeof(*w->ends));
		w->ends[part] = at;
	}
}

/*
 * What a window finds may turn out weak in what lies around it, and what is weak
 * in a window may turn out strong: the first pass lets more through.
 */
static double first_pass(double pvalue)
{
	if (pvalue < 0.05)
		return 10 * pvalue;
	return pvalue < 0.5 ? 2 * pvalue : pvalue;
}

/* Windows overlap by half, and begin anew at the last change point found. */
static int split(struct search *s)
{
	size_t size = s->rules->window, step = size / 2;
	double pvalue = first_pass(s->rules->pvalue);
	size_t *ends = calloc(s->n < size ? s->n + 1 : size + 1, sizeof(*ends));
	int err = ends ? 0 : -ENOMEM;

	for (size_t start = 0; !err && start < s->n;) {
		struct window w = { .values = s->values + start, .ends = ends };
		struct divisive *d;
		size_t last = 0;

		w.n = s->n - start < size ? s->n - start : size;
		d = divisive_new(w.values, w.n);
		if (!d) {
			err = -ENOMEM;
			break;
		}
		split_window(s, d, pvalue, &w);
		divisive_free(d);
		for (size_t k = 0; k + 1 < w.parts; k++) {
			last = start + ends[k];
			add(s, last);
		}
		start = last > start + step ? last : start + step;
	}
	free(ends);
	return err;
}

/* Few values: each against the prediction interval of those since the last change. */
static void predict(struct search *s)
{
	size_t start = 0;
	struct changepoint c;

	for (size_t i = CHANGEPOINT_BEFORE; i < s->n; i++) {
		if (i - start < CHANGEPOINT_BEFORE)
			continue;
		compare(s, s->values + start, i - start, s->values + i, 1, &c);
		if (c.pvalue >= s->rules->pvalue)
			continue;
		add(s, i);
		start = i;
	}
}

double changepoint_magnitude(const struct changepoint *c)
{
	double there = c->before == 0 ? 0 : fabs(c->after / c->before - 1);
	double back = c->after == 0 ? 0 : fabs(c->before / c->after - 1);

	return fmax(there, back);
}

/* Whether it is large enough to speak of; how sure it is, is another matter. */
static bool large(const struct search *s, const struct changepoint *c)
{
	const struct changepoint_rules *rules = s->rules;
	double magnitude = changepoint_magnitude(c);

	if (rules->otava)
		return magnitude > rules->magnitude;
	return magnitude >= rules->magnitude &&
	       fabs(c->after - c->before) >= rules->quanta * rules->quantum;
}

/* The change point that should go; s->n_out: none. */
static size_t weakest(const struct search *s)
{
	size_t unsure = 0, small = 0;

	for (size_t k = 1; k < s->n_out; k++) {
		if (s->out[k].pvalue > s->out[unsure].pvalue)
			unsure = k;
		if (changepoint_magnitude(&s->out[k]) <
		    changepoint_magnitude(&s->out[small]))
			small = k;
	}
	if (s->n_out && !(s->out[unsure].pvalue < s->rules->pvalue))
		return unsure;
	if (s->n_out && !large(s, &s->out[small]))
		return small;
	for (size_t k = 0; k < s->n_out; k++)
		if (!large(s, &s->out[k]))
			return k;
	return s->n_out;
}

/* Removes the weakest until all are strong; what goes changes its neighbours. */
static void merge(struct search *s)
{
	for (size_t k = weakest(s); k < s->n_out; k = weakest(s)) {
		size_t other;

		s->n_out--;
		memmove(&s->out[k], &s->out[k + 1], (s->n_out - k) * sizeof(*s->out));
		if (k < s->n_out)
			compare_at(s, k);
		other = s->rules->otava ? k + 1 : k - 1; /* k 0: wraps, out of range */
		if (other < s->n_out)
			compare_at(s, other);
	}
}

int changepoint_find(const double *values, size_t n,
		     const struct changepoint_rules *rules, struct changepoint *out,
		     size_t *n_out)
{
	struct search s = { .values = values, .n = n, .rules = rules, .out = out };
	int err = 0;

	if (n < CHANGEPOINT_SHORT && !rules->otava)
		predict(&s);
	else
		err = split(&s);
	if (!err) {
		compare_all(&s);
		merge(&s);
	}
	*n_out = s.n_out;
	return err;
}

/* Ranges that overlap in pairs have something in common: [least, most]. */
size_t changepoint_ranges(const double *lo, const double *hi, size_t n,
			  struct changepoint *out)
{
	double least = n ? lo[0] : 0, most = n ? hi[0] : 0;
	size_t found = 0;

	for (size_t i = 1; i < n; i++) {
		bool up = lo[i] > most, down = hi[i] < least;

		if (up || down) {
			out[found++] = (struct changepoint){
				.index = i,
				.before = up ? most : least,
				.after = up ? lo[i] : hi[i],
			};
			least = lo[i];
			most = hi[i];
		} else {
			least = fmax(least, lo[i]);
			most = fmin(most, hi[i]);
		}
	}
	return found;
}
