/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much the machine itself wanders during a run. */
#include "host/claim/drift.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

#include "host/stats/summary.h"

#define METRIC "round_trip"

/* Fewer rounds tell nothing of their spread. */
#define ROUNDS_MIN 3

static bool usable(const struct result_boot *boot)
{
	return boot->valid && boot->summary.p50 > 0;
}

/* A row's own level: the median of ln over its boots; NAN where that has no meaning. */
static double level_of(const struct result_metric *m, double *work)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_boots; i++)
		if (usable(&m->boots[i]))
			work[n++] = log(m->boots[i].summary.p50);
	return n >= ROUNDS_MIN ? stats_median(work, n) : NAN;
}

struct rows {
	const struct result_metric **metrics;
	double *levels;
	size_t n, rounds;
};

static void *room(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

static const struct result_metric *metric_of(const struct result_benchmark *b)
{
	return b->status == RESULT_OK ? result_find_metric(b, METRIC) : NULL;
}

static void collect(const struct result *r, struct rows *rows)
{
	double *work;

	*rows = (struct rows){ 0 };
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_metric *m = metric_of(&r->benchmarks[i]);

		if (m && m->n_boots > rows->rounds)
			rows->rounds = m->n_boots;
	}
	rows->metrics = room(r->n_benchmarks, sizeof(struct result_metric *));
	rows->levels = room(r->n_benchmarks, sizeof(*rows->levels));
	work = room(rows->rounds, sizeof(*work));
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_metric *m = metric_of(&r->benchmarks[i]);
		double level = m ? level_of(m, work) : NAN;

		if (isnan(level))
			continue;
		rows->metrics[rows->n] = m;
		rows->levels[rows->n++] = level;
	}
	free(work);
}

/* What the rows have in common in a round; NAN: not one of them has a boot there. */
static double common(const struct rows *rows, size_t round, double *work)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		const struct result_metric *m = rows->metrics[i];

		for (size_t k = 0; k < m->n_boots; k++)
			if (m->boots[k].index == round && usable(&m->boots[k]))
				work[n++] =
					log(m->boots[k].summary.p50) - rows->levels[i];
	}
	return n ? stats_median(work, n) : NAN;
}

struct drift drift_of(const struct result *r)
{
	struct drift d = { 0 };
	double *work, *rounds;
	struct rows rows;

	if (r->target.exact)
		return d;
	collect(r, &rows);
	work = room(rows.n, sizeof(*work));
	rounds = room(rows.rounds, sizeof(*rounds));
	for (size_t i = 0; i < rows.rounds; i++) {
		double c = common(&rows, i, work);

		if (!isnan(c))
			rounds[d.rounds++] = c;
	}
	if (d.rounds >= ROUNDS_MIN)
		d.sd = gsl_stats_sd(rounds, 1, d.rounds);
	free(work);
	free(rounds);
	free(rows.metrics);
	free(rows.levels);
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
