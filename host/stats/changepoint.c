/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Change points: outliers set aside, E-divisive splits in windows, tests, merge. */
#include "host/stats/changepoint.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

/* The change points found so far, ascending; out[] has room for one per value. */
struct search {
	const double *values;
	size_t n;
	const struct changepoint_rules *rules;
	struct changepoint *out;
	size_t n_out;
};

static void compare(const struct changepoint_rules *rules, const struct student_sample *a,
		    const struct student_sample *b, struct changepoint *c)
{
	double floor = rules->otava ? 0 : rules->quantum * rules->quantum / 12;

	c->pvalue = student_p(a, b, floor);
	c->before = a->mean;
	c->after = b->mean;
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
		size_t ddof = s->rules->otava ? 0 : 1;
		struct student_sample left =
			student_sample(w->values + start, at - start, ddof);
		struct student_sample right =
			student_sample(w->values + at, w->ends[part] - at, ddof);
		struct changepoint c;

		compare(s->rules, &left, &right, &c);
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

double changepoint_magnitude(const struct changepoint *c)
{
	double there = c->before == 0 ? 0 : fabs(c->after / c->before - 1);
	double back = c->after == 0 ? 0 : fabs(c->before / c->after - 1);

	return fmax(there, back);
}

/* Whether the change reaches the least magnitude, and the least number of quanta. */
static bool is_large(const struct changepoint_rules *rules, const struct changepoint *c)
{
	double magnitude = changepoint_magnitude(c);

	return rules->otava ? magnitude > rules->magnitude
			    : magnitude >= rules->magnitude;
}

static bool is_visible(const struct changepoint_rules *rules, const struct changepoint *c)
{
	return rules->otava ||
	       fabs(c->after - c->before) >= rules->quanta * rules->quantum;
}

/*
 * The merge: change points that are weak between their neighbours are removed, the
 * weakest first, until all are strong. A removal joins two stretches and changes the
 * neighbours, so the weakest is kept in a tournament tree: O(n log n) for n changes.
 */
struct merge {
	struct search *s;
	size_t n;			/* change points before the merge */
	size_t *before, *after;		/* neighbours that are left; n: none */
	struct student_sample *stretch; /* [k]: the values before k; [n]: the last ones */
	size_t *tree;			/* [1]: the weakest; leaves from `leaves` */
	size_t leaves;
	unsigned char *fault; /* why a change point is weak; 0: it is strong */
	double *order;	      /* within a fault, the largest is the weakest */
};

enum fault { STRONG, FEW_QUANTA, SMALL, NOT_SIGNIFICANT };

/* Longer stretches are joined from their moments: adding the values would be quadratic.
 */
#define JOIN_VALUES 1024

static struct student_sample join(const struct merge *m, size_t k, size_t next)
{
	const struct student_sample *a = &m->stretch[k], *b = &m->stretch[next];
	size_t ddof = m->s->rules->otava ? 0 : 1, n = a->n + b->n;
	size_t end = next < m->n ? m->s->out[next].index : m->s->n;
	double total = (double)n, delta = b->mean - a->mean, squares;

	if (n <= JOIN_VALUES)
		return student_sample(m->s->values + end - n, n, ddof);
	squares = a->variance * (double)(a->n - ddof) +
		  b->variance * (double)(b->n - ddof) +
		  delta * delta * (double)a->n * (double)b->n / total;
	return (struct student_sample){
		.n = n,
		.mean = a->mean + delta * (double)b->n / total,
		.variance = squares / (double)(n - ddof),
	};
}

static size_t weaker(const struct merge *m, size_t a, size_t b)
{
	if (a >= m->n || b >= m->n)
		return a < b ? a : b;
	if (m->fault[a] != m->fault[b])
		return m->fault[a] > m->fault[b] ? a : b;
	/* The first of equals. */
	return m->order[b] > m->order[a] ? b : a;
}

static void climb(struct merge *m, size_t k)
{
	for (size_t i = (m->leaves + k) / 2; i; i /= 2)
		m->tree[i] = weaker(m, m->tree[2 * i], m->tree[2 * i + 1]);
}

/* Tests a change point between its neighbours. */
static void test_at(struct merge *m, size_t k)
{
	const struct changepoint_rules *rules = m->s->rules;
	struct changepoint *c = &m->s->out[k];

	compare(rules, &m->stretch[k], &m->stretch[m->after[k]], c);
	m->order[k] = -changepoint_magnitude(c);
	m->fault[k] = STRONG;
	if (!(c->pvalue < rules->pvalue)) {
		m->fault[k] = NOT_SIGNIFICANT;
		m->order[k] = c->pvalue;
	} else if (!is_large(rules, c)) {
		m->fault[k] = SMALL;
	} else if (!is_visible(rules, c)) {
		m->fault[k] = FEW_QUANTA;
	}
}

static void remove_at(struct merge *m, size_t k)
{
	size_t next = m->after[k], before = m->before[k], other;

	m->stretch[next] = join(m, k, next);
	if (before < m->n)
		m->after[before] = next;
	if (next < m->n)
		m->before[next] = before;
	m->tree[m->leaves + k] = m->n; /* loses against all */
	climb(m, k);
	m->after[k] = m->before[k] = m->n + 1;
	/* Apache Otava tests the one after the next instead of the one before. */
	other = !m->s->rules->otava ? before : next < m->n ? m->after[next] : m->n;
	if (next < m->n) {
		test_at(m, next);
		climb(m, next);
	}
	if (other < m->n) {
		test_at(m, other);
		climb(m, other);
	}
}

static int merge_new(struct merge *m, struct search *s)
{
	size_t n = s->n_out, leaves = 1, ddof = s->rules->otava ? 0 : 1;

	while (leaves < n)
		leaves *= 2;
	*m = (struct merge){
		.s = s,
		.n = n,
		.before = calloc(2 * n + 2 * leaves + 1, sizeof(*m->before)),
		.stretch = calloc(n + 1, sizeof(*m->stretch)),
		.leaves = leaves,
		.fault = calloc(n + 1, sizeof(*m->fault)),
		.order = calloc(n + 1, sizeof(*m->order)),
	};
	if (!m->before || !m->stretch || !m->fault || !m->order)
		return -ENOMEM;
	m->after = m->before + n;
	m->tree = m->after + n;
	for (size_t k = 0; k <= n; k++) {
		size_t start = k ? s->out[k - 1].index : 0;
		size_t end = k < n ? s->out[k].index : s->n;

		m->stretch[k] = student_sample(s->values + start, end - start, ddof);
	}
	for (size_t k = 0; k < n; k++) {
		m->before[k] = k ? k - 1 : n;
		m->after[k] = k + 1;
		test_at(m, k);
	}
	for (size_t k = 0; k < leaves; k++)
		m->tree[leaves + k] = k < n ? k : n;
	for (size_t i = leaves - 1; i; i--)
		m->tree[i] = weaker(m, m->tree[2 * i], m->tree[2 * i + 1]);
	return 0;
}

static int merge(struct search *s)
{
	struct merge m;
	size_t kept = 0;
	int err = merge_new(&m, s);

	while (!err && m.tree[1] < m.n && m.fault[m.tree[1]])
		remove_at(&m, m.tree[1]);
	for (size_t k = 0; !err && k < m.n; k++)
		if (m.after[k] <= m.n)
			s->out[kept++] = s->out[k];
	s->n_out = kept;
	free(m.before);
	free(m.stretch);
	free(m.fault);
	free(m.order);
	return err;
}

/* The values [start, end) against the single value `value`. */
static struct changepoint test_value(const struct changepoint_rules *rules,
				     const double *base, size_t n, double value)
{
	struct student_sample a = student_sample(base, n, 1);
	struct student_sample b = { .n = 1, .mean = value };
	struct changepoint c = { 0 };

	compare(rules, &a, &b, &c);
	return c;
}

/* A series without its outliers. */
struct clean {
	double *values;
	size_t *index; /* in the series */
	size_t n;
	bool *outlier; /* of the series */
};

/*
 * Short series: each value against the prediction interval of the values since the last
 * change. A value outside is a change if the next value is outside, too, on the same
 * side; if there is no next value, a change of a single value; else an outlier.
 */
static void predict(struct search *s, struct clean *clean, const double *values, size_t n)
{
	const struct changepoint_rules *rules = s->rules;
	double *base = clean->values;
	size_t n_base = 0;

	for (size_t i = 0; i < n; i++) {
		struct changepoint c, next;

		if (n_base < CHANGEPOINT_BEFORE) {
			base[n_base++] = values[i];
			continue;
		}
		c = test_value(rules, base, n_base, values[i]);
		if (c.pvalue >= rules->pvalue || !is_large(rules, &c) ||
		    !is_visible(rules, &c)) {
			base[n_base++] = values[i];
			continue;
		}
		c.index = i;
		c.single = i + 1 == n;
		if (!c.single) {
			next = test_value(rules, base, n_base, values[i + 1]);
			if (next.pvalue >= first_pass(rules->pvalue) ||
			    (c.after > c.before) != (next.after > next.before)) {
				clean->outlier[i] = true;
				continue;
			}
		}
		s->out[s->n_out++] = c;
		base[0] = values[i];
		n_base = 1;
	}
}

/* The means between the change points of a short series, without outliers. */
static void fill_means(struct search *s, const struct clean *clean, const double *values,
		       size_t n)
{
	double last = NAN;

	for (size_t k = 0; k <= s->n_out; k++) {
		size_t start = k ? s->out[k - 1].index : 0, many = 0;
		size_t end = k < s->n_out ? s->out[k].index : n;
		double sum = 0;

		for (size_t i = start; i < end; i++) {
			sum += clean->outlier[i] ? 0 : values[i];
			many += !clean->outlier[i];
		}
		if (k) {
			s->out[k - 1].before = last;
			s->out[k - 1].after = sum / (double)many;
		}
		last = sum / (double)many;
	}
}

/* Without the outliers of all blocks. */
static void clean_series(struct clean *clean, const double *values, size_t n,
			 const struct changepoint_rules *rules)
{
	double floor = rules->quantum / sqrt(12);

	for (size_t start = 0, end; start < n; start = end) {
		end = start + rules->window;
		if (end + rules->window / 2 > n || end + CHANGEPOINT_SHORT > n)
			end = n;
		outliers_mark(values, n, start, end, floor, clean->values,
			      clean->outlier);
	}
	for (size_t i = 0; i < n; i++) {
		if (clean->outlier[i])
			continue;
		clean->values[clean->n] = values[i];
		clean->index[clean->n++] = i;
	}
}

/* The newest value alone, if it is an outlier: the next value may show a change. */
static void add_single(struct search *s, double newest, size_t n)
{
	size_t start = s->n_out ? s->out[s->n_out - 1].index : 0;
	struct changepoint c =
		test_value(s->rules, s->values + start, s->n - start, newest);

	c.index = n - 1;
	c.single = true;
	if (c.pvalue < s->rules->pvalue && is_large(s->rules, &c) &&
	    is_visible(s->rules, &c))
		s->out[s->n_out++] = c;
}

static int find_cleaned(struct search *s, const double *values, size_t n, bool *outlier)
{
	struct clean clean = {
		.values = calloc(n + 1, sizeof(*clean.values)),
		.index = calloc(n + 1, sizeof(*clean.index)),
		.outlier = outlier,
	};
	int err = clean.values && clean.index ? 0 : -ENOMEM;

	if (err)
		goto out;
	memset(outlier, 0, n * sizeof(*outlier));
	if (n < CHANGEPOINT_SHORT) {
		predict(s, &clean, values, n);
		fill_means(s, &clean, values, n);
		goto out;
	}
	clean_series(&clean, values, n, s->rules);
	s->values = clean.values;
	s->n = clean.n;
	err = split(s);
	if (!err)
		err = merge(s);
	if (err)
		goto out;
	if (outlier[n - 1])
		add_single(s, values[n - 1], n);
	for (size_t k = 0; k < s->n_out; k++) {
		struct changepoint *c = &s->out[k];

		if (c->single)
			continue;
		c->single = c->index + 1 == clean.n;
		c->index = clean.index[c->index];
	}
out:
	free(clean.values);
	free(clean.index);
	return err;
}

/*
 * A power of 2 that brings very large or small values near 1, as their squares would
 * overflow or vanish; 1 for other values, which are then used as they are.
 */
static double factor_of(const double *values, size_t n)
{
	double most = 0;
	int exponent;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(values[i]));
	if (most == 0 || (most < 1e100 && most > 1e-100))
		return 1;
	frexp(most, &exponent);
	/* 2^-exponent can overflow for the smallest values. */
	return ldexp(1, exponent < -1000 ? 1000 : -exponent);
}

int changepoint_find(const double *values, size_t n,
		     const struct changepoint_rules *rules, struct changepoint *out,
		     size_t *n_out, bool *outlier)
{
	struct changepoint_rules scaled = *rules;
	struct search s = { .n = n, .rules = &scaled, .out = out };
	double factor = factor_of(values, n), *copy = NULL;
	bool *own = NULL;
	int err = -ENOMEM;

	*n_out = 0;
	if (factor != 1) {
		copy = calloc(n, sizeof(*copy));
		if (!copy)
			goto out;
		for (size_t i = 0; i < n; i++)
			copy[i] = values[i] * factor;
		values = copy;
		scaled.quantum *= factor;
	}
	s.values = values;
	if (rules->otava) {
		err = split(&s);
		if (!err)
			err = merge(&s);
	} else {
		if (!outlier)
			outlier = own = calloc(n + 1, sizeof(*own));
		if (outlier)
			err = find_cleaned(&s, values, n, outlier);
	}
	for (size_t k = 0; k < s.n_out; k++) {
		out[k].before /= factor;
		out[k].after /= factor;
	}
	*n_out = s.n_out;
out:
	free(own);
	free(copy);
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
