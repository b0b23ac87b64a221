/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ED-PELT: the changes of the distribution of a series of values. */
#include "host/stats/changepoint.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>

/* Room for series of up to `n` values, which many windows share. */
struct edpelt {
	double *sorted;
	double *product; /* product[i]: i ln i, up to 2 n */
	uint32_t
		*below; /* below[t * k + q]: twice the values below quantile q before t */
	double *cost;	/* cost[t]: of the best segments before t */
	double *tried;	/* of the segments before `open`, and the one from there */
	size_t *last;	/* last[t]: where the last of these begins */
	size_t *open;	/* beginnings that are not pruned */
	size_t k, n;
	double scale; /* of a sum over the quantiles */
};

static size_t quantiles_of(size_t n)
{
	size_t k = (size_t)ceil(4 * log((double)n));

	return k < n ? k : n;
}

void edpelt_free(struct edpelt *e)
{
	if (!e)
		return;
	free(e->sorted);
	free(e->below);
	free(e->last);
	free(e);
}

struct edpelt *edpelt_new(size_t n)
{
	struct edpelt *e = malloc(sizeof(*e));
	size_t k = n > 1 ? quantiles_of(n) : 1;

	if (!e)
		return NULL;
	*e = (struct edpelt){
		.sorted = calloc(5 * n + 4, sizeof(*e->sorted)),
		.below = calloc((n + 1) * k, sizeof(*e->below)),
		.last = calloc(2 * n + 2, sizeof(*e->last)),
	};
	if (!e->sorted || !e->below || !e->last) {
		edpelt_free(e);
		return NULL;
	}
	e->cost = e->sorted + n;
	e->tried = e->cost + n + 1;
	e->product = e->tried + n + 1;
	e->open = e->last + n + 1;
	for (size_t i = 2; i <= 2 * n; i++)
		e->product[i] = (double)i * log((double)i);
	return e;
}

/*
 * Counts the values below each quantile, of which the tails have more than the middle
 * (section 3.1). A value equal to the quantile counts half.
 */
static void count_below(struct edpelt *e, const double *values, size_t n)
{
	e->n = n;
	e->k = quantiles_of(n);
	e->scale = log(2 * (double)n - 1) / (double)e->k;
	memcpy(e->sorted, values, n * sizeof(*values));
	gsl_sort(e->sorted, 1, n);
	for (size_t q = 0; q < e->k; q++) {
		double z = (2 * (double)q + 1) / (double)e->k - 1;
		double share = 1 / (1 + pow(2 * (double)n - 1, -z));
		double at = e->sorted[(size_t)(share * (double)(n - 1))];
		uint32_t sum = 0;

		e->below[q] = 0;
		for (size_t t = 0; t < n; t++) {
			sum += values[t] < at ? 2 : values[t] == at;
			e->below[(t + 1) * e->k + q] = sum;
		}
	}
}

/* The cost of a segment: minus twice its nonparametric log-likelihood. */
static double segment_cost(const struct edpelt *e, size_t from, size_t to)
{
	const uint32_t *a = e->below + from * e->k, *b = e->below + to * e->k;
	size_t all = 2 * (to - from);
	double sum = 0;

	for (size_t q = 0; q < e->k; q++) {
		size_t below = b[q] - a[q];

		sum += e->product[all] - e->product[below] - e->product[all - below];
	}
	return e->scale * sum;
}

void edpelt_search(struct edpelt *e, const double *values, size_t n, size_t least,
		   size_t *out, size_t *n_out)
{
	double penalty = 3 * log((double)n);
	size_t n_open = 0, found = 0;

	*n_out = 0;
	if (n < 2 * least || n < 3)
		return;
	count_below(e, values, n);
	e->cost[0] = -penalty;
	for (size_t t = least; t <= n; t++) {
		size_t kept = 0, newest = t - least;

		e->cost[t] = INFINITY;
		/* No segments end within the first `least` values. */
		if (!newest || newest >= least)
			e->open[n_open++] = newest;
		for (size_t i = 0; i < n_open; i++) {
			size_t s = e->open[i];

			e->tried[i] = e->cost[s] + segment_cost(e, s, t);
			if (e->tried[i] + penalty < e->cost[t]) {
				e->cost[t] = e->tried[i] + penalty;
				e->last[t] = s;
			}
		}
		for (size_t i = 0; i < n_open; i++)
			if (e->tried[i] < e->cost[t])
				e->open[kept++] = e->open[i];
		n_open = kept;
	}
	for (size_t t = n; e->last[t] > 0; t = e->last[t])
		found++;
	*n_out = found;
	for (size_t t = n; e->last[t] > 0; t = e->last[t])
		out[--found] = e->last[t];
}
