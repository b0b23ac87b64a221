/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of two samples: ranks, signed ranks, Student's t; Holm's correction; sample
 * sizes. */
#include "host/stats/two_sample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>

struct value {
	double value;
	bool is_x;
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct value *)a)->value, y = ((const struct value *)b)->value;

	return (x > y) - (x < y);
}

/*
 * Ranks of the pooled values, doubled, so that the mean rank of a group of ties is an
 * integer. *sum: rank sum of x. *ties: sum of t^3 - t over the groups.
 */
static size_t *doubled_ranks(const double *x, size_t n_x, const double *y, size_t n_y,
			     size_t *sum, double *ties)
{
	size_t n = n_x + n_y, *ranks = malloc(n * sizeof(*ranks));
	struct value *pool = malloc(n * sizeof(*pool));

	*sum = 0;
	*ties = 0;
	if (!ranks || !pool) {
		free(ranks);
		free(pool);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		pool[i] = (struct value){ i < n_x ? x[i] : y[i - n_x], i < n_x };
	qsort(pool, n, sizeof(*pool), by_value);
	for (size_t from = 0, to; from < n; from = to) {
		double t;

		for (to = from + 1; to < n && pool[to].value == pool[from].value;)
			to++;
		t = (double)(to - from);
		*ties += t * t * t - t;
		/* The group has the ranks from + 1 to `to`. */
		for (size_t i = from; i < to; i++) {
			ranks[i] = from + 1 + to;
			*sum += pool[i].is_x ? ranks[i] : 0;
		}
	}
	free(pool);
	return ranks;
}

/*
 * ways[s]: the number of subsets of `k` of the n values with the sum s of doubled ranks,
 * by the generating function of Pagano and Tritchler (1983). NULL: out of memory.
 */
static double *rank_sum_ways(const size_t *ranks, size_t n, size_t k, size_t *n_sums)
{
	size_t sums = 1;
	double *table, *ways;

	for (size_t i = n - k; i < n; i++)
		sums += ranks[i];
	*n_sums = sums;
	table = calloc((k + 1) * sums, sizeof(*table));
	ways = malloc(sums * sizeof(*ways));
	if (!table || !ways) {
		free(table);
		free(ways);
		return NULL;
	}
	table[0] = 1;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1 < k ? i + 1 : k; j > 0; j--)
			for (size_t s = sums; s-- > ranks[i];)
				table[j * sums + s] +=
					table[(j - 1) * sums + s - ranks[i]];
	for (size_t s = 0; s < sums; s++)
		ways[s] = table[k * sums + s];
	free(table);
	return ways;
}

static int exact_tails(const size_t *ranks, size_t n, size_t n_x, size_t sum,
		       struct stats_mann_whitney *out)
{
	double less = 0, greater = 0, all = 0;
	size_t n_sums;
	double *ways = rank_sum_ways(ranks, n, n_x, &n_sums);

	if (!ways)
		return -ENOMEM;
	for (size_t s = 0; s < n_sums; s++) {
		all += ways[s];
		less += s <= sum ? ways[s] : 0;
		greater += s >= sum ? ways[s] : 0;
	}
	free(ways);
	out->exact = true;
	out->p_less = less / all;
	out->p_greater = greater / all;
	return 0;
}

static void normal_tails(double n_x, double n_y, double ties,
			 struct stats_mann_whitney *out)
{
	double n = n_x + n_y, mean = n_x * n_y / 2;
	double sd = sqrt(n_x * n_y / 12 * (n + 1 - ties / (n * (n - 1))));

	/* all values are equal */
	if (!(sd > 0)) {
		out->p_less = out->p_greater = 1;
		return;
	}
	out->p_less = gsl_cdf_ugaussian_P((out->u - mean + 0.5) / sd);
	out->p_greater = gsl_cdf_ugaussian_Q((out->u - mean - 0.5) / sd);
}

int stats_mann_whitney(const double *x, size_t n_x, const double *y, size_t n_y,
		       struct stats_mann_whitney *out)
{
	size_t sum, *ranks;
	double ties;
	int rc = 0;

	*out = (struct stats_mann_whitney){ NAN, NAN, NAN, NAN, false };
	if (!n_x || !n_y)
		return -ERANGE;
	ranks = doubled_ranks(x, n_x, y, n_y, &sum, &ties);
	if (!ranks)
		return -ENOMEM;
	out->u = (double)sum / 2 - (double)n_x * (double)(n_x + 1) / 2;
	if (n_x + n_y <= STATS_EXACT_MAX)
		rc = exact_tails(ranks, n_x + n_y, n_x, sum, out);
	else
		normal_tails((double)n_x, (double)n_y, ties, out);
	out->p = fmin(1, 2 * fmin(out->p_less, out->p_greater));
	free(ranks);
	return rc;
}

/* cdf[u]: probability of U <= u without ties, u < n_x n_y / 2 + 1. NULL: out of memory.
 */
static double *u_distribution(size_t n_x, size_t n_y, size_t *n_u)
{
	size_t n = n_x + n_y, n_sums, least = n_x * (n_x + 1) / 2;
	size_t *ranks = malloc(n * sizeof(*ranks));
	double *ways, all = 0, sum = 0;

	if (!ranks)
		return NULL;
	for (size_t i = 0; i < n; i++)
		ranks[i] = i + 1;
	ways = rank_sum_ways(ranks, n, n_x, &n_sums);
	free(ranks);
	if (!ways)
		return NULL;
	for (size_t s = 0; s < n_sums; s++)
		all += ways[s];
	*n_u = n_x * n_y / 2 + 1;
	for (size_t u = 0; u < *n_u; u++) {
		sum += ways[least + u];
		ways[u] = sum / all; /* in place: least >= 1 */
	}
	return ways;
}

/*
 * The largest k for which the k-th smallest and the k-th largest difference (k from 1)
 * cover the shift with probability >= level; 0: none.
 */
static int exact_depth(size_t n_x, size_t n_y, double level, size_t *k, double *actual)
{
	size_t n_u;
	double *cdf = u_distribution(n_x, n_y, &n_u);

	if (!cdf)
		return -ENOMEM;
	for (*k = 0; *k < n_u && 1 - 2 * cdf[*k] >= level; (*k)++)
		*actual = 1 - 2 * cdf[*k];
	free(cdf);
	return 0;
}

static void normal_depth(double n_x, double n_y, double level, size_t *k, double *actual)
{
	double sd = sqrt(n_x * n_y * (n_x + n_y + 1) / 12);
	double u = n_x * n_y / 2 - gsl_cdf_ugaussian_Pinv((1 + level) / 2) * sd;

	*k = u < 0 ? 0 : (size_t)u;
	*actual = level;
}

int stats_shift(const double *x, size_t n_x, const double *y, size_t n_y, double level,
		struct stats_shift *out)
{
	size_t n = n_x * n_y, k = 0;
	double *differences, actual = NAN;
	int rc = 0;

	*out = (struct stats_shift){ NAN, NAN, NAN, NAN };
	if (!n)
		return -ERANGE;
	differences = reallocarray(NULL, n, sizeof(*differences));
	if (!differences)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		differences[i] = y[i / n_x] - x[i % n_x];
	gsl_sort(differences, 1, n);
	out->shift = gsl_stats_median_from_sorted_data(differences, 1, n);
	if (n_x + n_y <= STATS_EXACT_MAX)
		rc = exact_depth(n_x, n_y, level, &k, &actual);
	else
		normal_depth((double)n_x, (double)n_y, level, &k, &actual);
	if (!rc && k) {
		out->lo = differences[k - 1];
		out->hi = differences[n - k];
		out->actual = actual;
	}
	free(differences);
	return rc;
}

double stats_cliff(const double *x, size_t n_x, const double *y, size_t n_y)
{
	double sum = 0;

	if (!n_x || !n_y)
		return NAN;
	for (size_t i = 0; i < n_x; i++)
		for (size_t j = 0; j < n_y; j++)
			sum += (y[j] > x[i]) - (y[j] < x[i]);
	return sum / ((double)n_x * (double)n_y);
}

/*
 * cdf[s]: probability of a sum <= s of the ranks that are positive, if each sign is
 * positive with probability 1/2. NULL: out of memory.
 */
static double *sign_distribution(const size_t *ranks, size_t n, size_t *n_sums)
{
	size_t sums = 1;
	double *cdf;

	for (size_t i = 0; i < n; i++)
		sums += ranks[i];
	*n_sums = sums;
	cdf = calloc(sums, sizeof(*cdf));
	if (!cdf)
		return NULL;
	cdf[0] = 1;
	for (size_t i = 0; i < n; i++)
		for (size_t s = sums; s-- > 0;)
			cdf[s] = (cdf[s] + (s >= ranks[i] ? cdf[s - ranks[i]] : 0)) / 2;
	for (size_t s = 1; s < sums; s++)
		cdf[s] += cdf[s - 1];
	return cdf;
}

/* The p of the doubled rank sum `less`, the smaller one of the two signs. */
static int signed_rank_p(const size_t *ranks, size_t n, size_t less, double *p)
{
	double squares = 0, sum = 0, *cdf;
	size_t n_sums;

	if (n <= STATS_EXACT_MAX) {
		cdf = sign_distribution(ranks, n, &n_sums);
		if (!cdf)
			return -ENOMEM;
		*p = fmin(1, 2 * cdf[less]);
		free(cdf);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		sum += (double)ranks[i];
		squares += (double)ranks[i] * (double)ranks[i];
	}
	/* Steps of the doubled sum are 2. */
	*p = fmin(1, 2 * gsl_cdf_ugaussian_P(((double)less - sum / 2 + 1) /
					     sqrt(squares / 4)));
	return 0;
}

static int signed_rank_test(const double *d, size_t n, double *p)
{
	size_t *ranks = malloc(n * sizeof(*ranks)), used = 0, up = 0, down = 0;
	int rc;

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t below = 0, equal = 0;

		if (d[i] == 0)
			continue;
		for (size_t j = 0; j < n; j++) {
			below += d[j] != 0 && fabs(d[j]) < fabs(d[i]);
			equal += fabs(d[j]) == fabs(d[i]);
		}
		/* Doubled: the mean of below + 1 ... below + equal. */
		ranks[used] = 2 * below + equal + 1;
		*(d[i] > 0 ? &up : &down) += ranks[used++];
	}
	*p = NAN;
	rc = used ? signed_rank_p(ranks, used, up < down ? up : down, p) : 0;
	free(ranks);
	return rc;
}

/* The depth of the interval in the sorted means of two; 0: none. */
static int signed_rank_depth(size_t n, double level, size_t *k)
{
	double mean = (double)n * (double)(n + 1) / 4, sd, *cdf;
	size_t *ranks, n_sums;

	*k = 0;
	if (n > STATS_EXACT_MAX) {
		sd = sqrt(mean * (double)(2 * n + 1) / 6);
		*k = (size_t)(mean - gsl_cdf_ugaussian_Pinv((1 + level) / 2) * sd);
		return 0;
	}
	ranks = malloc(n * sizeof(*ranks));
	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranks[i] = i + 1;
	cdf = sign_distribution(ranks, n, &n_sums);
	free(ranks);
	if (!cdf)
		return -ENOMEM;
	while ((double)*k < mean && 1 - 2 * cdf[*k] >= level)
		(*k)++;
	free(cdf);
	return 0;
}

int stats_signed_rank(const double *differences, size_t n, double level,
		      struct stats_signed_rank *out)
{
	size_t n_means = n * (n + 1) / 2, m = 0, k;
	double *means;
	int rc;

	*out = (struct stats_signed_rank){ NAN, NAN, NAN, NAN };
	if (!n)
		return -ERANGE;
	means = reallocarray(NULL, n_means, sizeof(*means));
	rc = means ? signed_rank_test(differences, n, &out->p) : -ENOMEM;
	if (!rc)
		rc = signed_rank_depth(n, level, &k);
	if (!rc) {
		for (size_t i = 0; i < n; i++)
			for (size_t j = i; j < n; j++)
				means[m++] = (differences[i] + differences[j]) / 2;
		gsl_sort(means, 1, n_means);
		out->shift = gsl_stats_median_from_sorted_data(means, 1, n_means);
		if (k) {
			out->lo = means[k - 1];
			out->hi = means[n_means - k];
		}
	}
	free(means);
	return rc;
}

int stats_holm(const double *p, size_t n, double *adjusted)
{
	double *values, worst = 0;
	size_t *order, *which, m = 0;

	values = calloc(n + 1, sizeof(*values));
	order = malloc((n + 1) * 2 * sizeof(*order));
	if (!values || !order) {
		free(values);
		free(order);
		return -ENOMEM;
	}
	which = order + n + 1;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(p[i])) {
			which[m] = i;
			values[m++] = p[i];
		}
		adjusted[i] = p[i];
	}
	gsl_sort_index(order, values, 1, m);
	/* m times the smallest, m - 1 times the next, ...; never less than the one
	 * before. */
	for (size_t i = 0; i < m; i++) {
		worst = fmax(worst, fmin(1, (double)(m - i) * values[order[i]]));
		adjusted[which[order[i]]] = worst;
	}
	free(values);
	free(order);
	return 0;
}

struct student_sample student_sample(const double *values, size_t n, size_t ddof)
{
	struct student_sample s = { .n = n };
	double squares = 0;

	for (size_t i = 0; i < n; i++)
		s.mean += values[i];
	s.mean /= (double)n;
	if (n < 2)
		return s;
	for (size_t i = 0; i < n; i++)
		squares += (values[i] - s.mean) * (values[i] - s.mean);
	s.variance = squares / (double)(n - ddof);
	return s;
}

double student_p(const struct student_sample *a, const struct student_sample *b,
		 double floor)
{
	double df = (double)(a->n + b->n) - 2, apart = a->mean - b->mean, pooled, squared;

	if (df < 1)
		return 1;
	pooled = ((double)(a->n - 1) * a->variance + (double)(b->n - 1) * b->variance) /
		 df;
	squared = fmax(pooled, floor) * (1.0 / (double)a->n + 1.0 / (double)b->n);
	if (squared == 0)
		return apart == 0 ? 1 : 0;
	/*
	 * Both tails by the beta distribution: gsl_cdf_tdist_Q() has only seven digits
	 * for tiny p.
	 */
	return gsl_cdf_beta_P(df / (df + apart * apart / squared), df / 2, 0.5);
}

/* p of n equal signs: 2 / 2^n. */
size_t stats_least_pairs(double alpha, size_t family)
{
	double least = ceil(1 - log2(alpha / (double)family));

	return least < 1 ? 1 : (size_t)least;
}

/* p of disjoint samples of n values: 2 / C(2n, n). */
size_t stats_least_values(double alpha, size_t family)
{
	size_t n = 1;

	while (log(2) - gsl_sf_lnchoose((unsigned int)(2 * n), (unsigned int)n) >
	       log(alpha / (double)family))
		n++;
	return n;
}

double stats_apart_by_chance(size_t n, size_t m)
{
	return fmin(1, 2 * exp(-gsl_sf_lnchoose((unsigned int)(n + m), (unsigned int)n)));
}
