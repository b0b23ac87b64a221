/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drift of a machine during a run. */
#include "host/compare/compare.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

#include "host/stats/summary.h"

#define METRIC "round_trip"

/* Least rounds for a standard deviation. */
#define ROUNDS_MIN 3

static bool usable(const struct result_boot *boot)
{
	return boot->valid && boot->summary.p50 > 0;
}

/* The level of a row: median of ln over its boots; NAN: too few boots. */
static double level_of(const struct result_metric *m, double *work)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_boots; i++)
		if (usable(&m->boots[i]))
			work[n++] = log(m->boots[i].summary.p50);
	return n >= ROUNDS_MIN ? stats_median(work, n) : NAN;
}

/* Limits of the table: a document can have any number of rows and boots. */
#define ROUNDS_MAX 1000
#define ROWS_MAX   1000

/* ln(boot / its row's level) by round and row; NAN: no such boot. */
struct table {
	double *cells;
	size_t rows, rounds;
};

static void *room(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

static void add_row(struct table *t, const struct result_metric *m)
{
	double *work = room(m->n_boots, sizeof(*work)), level = level_of(m, work);

	free(work);
	if (isnan(level))
		return;
	for (size_t i = 0; i < ROUNDS_MAX; i++)
		t->cells[i * ROWS_MAX + t->rows] = NAN;
	for (size_t i = 0; i < m->n_boots; i++) {
		const struct result_boot *boot = &m->boots[i];

		if (!usable(boot) || boot->index >= ROUNDS_MAX)
			continue;
		t->cells[boot->index * ROWS_MAX + t->rows] =
			log(boot->summary.p50) - level;
		if (boot->index >= t->rounds)
			t->rounds = boot->index + 1;
	}
	t->rows++;
}

/* The median over the rows of a round; NAN: no row has a boot in the round. */
static double common(const struct table *t, size_t round)
{
	double values[ROWS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < t->rows; i++)
		if (!isnan(t->cells[round * ROWS_MAX + i]))
			values[n++] = t->cells[round * ROWS_MAX + i];
	return n ? stats_median(values, n) : NAN;
}

struct drift drift_of(const struct result *r)
{
	double rounds[ROUNDS_MAX];
	struct drift d = { 0 };
	struct table t = { 0 };

	if (r->target.exact)
		return d;
	t.cells = room((size_t)ROUNDS_MAX * ROWS_MAX, sizeof(*t.cells));
	for (size_t i = 0; i < r->n_benchmarks && t.rows < ROWS_MAX; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, METRIC);

		if (m && b->status == RESULT_OK)
			add_row(&t, m);
	}
	for (size_t i = 0; i < t.rounds; i++) {
		double c = common(&t, i);

		if (!isnan(c))
			rounds[d.rounds++] = c;
	}
	if (d.rounds >= ROUNDS_MIN)
		d.sd = gsl_stats_sd(rounds, 1, d.rounds);
	free(t.cells);
	return d;
}

struct drift_between drift_between(const struct drift *a, const struct drift *b)
{
	struct drift_between d = { .sd = hypot(a->sd, b->sd) };

	if (a->rounds + b->rounds > 2)
		d.df = (double)(a->rounds + b->rounds - 2);
	return d;
}

double drift_reach(const struct drift_between *d, double level)
{
	if (!(d->sd > 0) || !(d->df > 0))
		return 0;
	return gsl_cdf_tdist_Pinv((1 + level) / 2, d->df) * d->sd;
}
