/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Change points: E-divisive splits in windows, tests, merge. */
#include "host/stats/changepoint.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/two_sample.h"

/*
 * The best split of E-divisive over all splits and ends of a window, in O(window^2).
 *
 * For a split t of [s, k) with n = t - s values on the left and m = k - t on the right:
 *
 *	q(t, k) = 2 / (m + n) * (sum of |x - y| over left x right
 *			- m / (n - 1) * sum over pairs within the left
 *			- n / (m - 1) * sum over pairs within the right)
 *
 * A side of one value has no pairs, and its term is 0. Row sums of distances to the right
 * do not depend on s and are computed once; the other terms are running sums. The order
 * of the additions is that of Apache Otava, so that rounding decides between equal splits
 * as in Apache Otava.
 */
struct divisive {
	const double *values;
	size_t n;
	double *right;	     /* right[i * n + j]: distances from value i to (i, j] */
	double *left;	     /* left[j]: distances from value j to [0, j) */
	double *within_left; /* scratch: pairs within [s, s + i], by i */
	double *across;	     /* scratch: right[] summed over rows s to i, by i */
};

struct divisive *divisive_new(const double *values, size_t n)
{
	struct divisive *d = calloc(1, sizeof(*d));
	double *sums = calloc(n * n + 3 * n, sizeof(*sums));

	if (!d || !sums) {
		free(d);
		free(sums);
		return NULL;
	}
	*d = (struct divisive){
		.values = values,
		.n = n,
		.right = sums,
		.left = sums + n * n,
		.within_left = sums + n * n + n,
		.across = sums + n * n + 2 * n,
	};
	for (size_t i = 0; i < n; i++) {
		double *row = d->right + i * n;

		for (size_t j = i + 1; j < n; j++) {
			double distance = fabs(values[i] - values[j]);

			row[j] = row[j - 1] + distance;
			d->left[j] += distance;
		}
	}
	return d;
}

void divisive_free(struct divisive *d)
{
	if (!d)
		return;
	free(d->right);
	free(d);
}

/* within_left[i]: distances of all pairs in values[start, start + i]. */
static void sum_left(const struct divisive *d, size_t start, size_t n)
{
	d->within_left[0] = 0;
	for (size_t i = 1; i < n; i++) {
		double before = 0;

		for (size_t k = 0; k < start; k++)
			before += fabs(d->values[k] - d->values[start + i]);
		d->within_left[i] = d->within_left[i - 1] + (d->left[start + i] - before);
	}
}

struct best {
	double statistic;
	size_t left;  /* values left of the split */
	size_t total; /* values left and right of the split */
};

/* Tries all splits of `total` values from `start`. */
static void try_end(const struct divisive *d, size_t start, size_t total,
		    struct best *best)
{
	const double *column = d->right + start * d->n + start + total - 1;
	double within_right = 0;

	d->across[0] = column[0];
	for (size_t i = 1; i + 1 < total; i++)
		d->across[i] = d->across[i - 1] + column[i * d->n];

	for (size_t n = total - 1; n > 0; n--) {
		size_t m = total - n;
		double all = (double)total, q;

		/* The first pair on the right side: the last two values. */
		if (m > 1)
			within_right += column[n * d->n];
		q = 2.0 / all * (d->across[n - 1] - d->within_left[n - 1]);
		if (n > 1)
			q -= 2.0 * (double)m / (all * (double)(n - 1)) *
			     d->within_left[n - 1];
		if (m > 1)
			q -= 2.0 * (double)n / (all * (double)(m - 1)) * within_right;
		if (q > best->statistic ||
		    (q == best->statistic &&
		     (n < best->left || (n == best->left && total < best->total))))
			*best = (struct best){ q, n, total };
	}
}

size_t divisive_split(const struct divisive *d, size_t start, size_t end,
		      double *statistic)
{
	struct best best = { -INFINITY, 0, 0 };

	sum_left(d, start, end - start);
	for (size_t total = 2; total <= end - start; total++)
		try_end(d, start, total, &best);
	*statistic = best.statistic;
	return start + best.left;
}

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

/* Inserts an index in order, unless present. */
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

/* A window of the series and its parts. */
struct window {
	const double *values;
	size_t n;
	size_t *ends; /* of the parts, ascending; room for n */
	size_t parts;
};

/* The part with the best split, and the split; false: all parts are single values. */
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
 * A change that is weak in its window can be strong between its neighbours: the first
 * pass accepts a larger p, and the merge removes what stays weak.
 */
static double first_pass(double pvalue)
{
	if (pvalue < 0.05)
		return 10 * pvalue;
	return pvalue < 0.5 ? 2 * pvalue : pvalue;
}

/* Windows overlap by half, and restart at the last change point found. */
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

/* Short series: each value against the prediction interval since the last change. */
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

/* Whether the change reaches the least magnitude. */
static bool large(const struct search *s, const struct changepoint *c)
{
	const struct changepoint_rules *rules = s->rules;
	double magnitude = changepoint_magnitude(c);

	if (rules->otava)
		return magnitude > rules->magnitude;
	return magnitude >= rules->magnitude &&
	       fabs(c->after - c->before) >= rules->quanta * rules->quantum;
}

/* The change point to remove; s->n_out: none. */
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

/* Removes the weakest until all are strong. A removal changes the neighbours. */
static void merge(struct search *s)
{
	for (size_t k = weakest(s); k < s->n_out; k = weakest(s)) {
		size_t other;

		s->n_out--;
		memmove(&s->out[k], &s->out[k + 1], (s->n_out - k) * sizeof(*s->out));
		if (k < s->n_out)
			compare_at(s, k);
		other = s->rules->otava ? k + 1
					: k - 1; /* wraps if k is 0: out of range */
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
		for (size_t k = 0; k < s.n_out; k++)
			compare_at(&s, k);
		merge(&s);
	}
	*n_out = s.n_out;
	return err;
}

/* Ranges that overlap in pairs have an intersection: [least, most]. */
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
