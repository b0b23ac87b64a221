/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resolution of a machine: a run compared with itself. */
#include "host/compare/compare_rules.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>

#include "host/stats/two_sample.h"
#include "host/stats/summary.h"

#define METRIC "round_trip"

/* Which boot of each pair is in the first half: random, as order can matter. */
static bool *draw_sides(const struct result *r, size_t pairs)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	bool *sides = calloc(pairs + 1, sizeof(*sides));

	if (!rng || !sides)
		abort();
	gsl_rng_set(rng, (unsigned long)r->run.seed + 1);
	/* Balanced: half of the pairs each way, shuffled. */
	for (size_t i = 0; i < pairs; i++)
		sides[i] = i < pairs / 2;
	for (size_t i = pairs; i > 1; i--) {
		size_t k = gsl_rng_uniform_int(rng, i);
		bool other = sides[k];

		sides[k] = sides[i - 1];
		sides[i - 1] = other;
	}
	gsl_rng_free(rng);
	return sides;
}

static const struct result_metric *metric_of(const struct result_benchmark *b)
{
	return b->status == RESULT_OK ? result_find_metric(b, METRIC) : NULL;
}

static size_t pairs_of(const struct result *r)
{
	size_t pairs = 0;

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_metric *m = metric_of(&r->benchmarks[i]);

		for (size_t k = 0; m && k < m->n_boots; k++)
			if (m->boots[k].index / 2 >= pairs)
				pairs = m->boots[k].index / 2 + 1;
	}
	return pairs;
}

static void estimate(struct result_metric *m)
{
	double *medians = calloc(m->n_boots + 1, sizeof(*medians));
	size_t n = 0;

	if (!medians)
		abort();
	for (size_t i = 0; i < m->n_boots; i++)
		if (m->boots[i].valid && !isnan(m->boots[i].summary.p50))
			medians[n++] = m->boots[i].summary.p50;
	m->value = n ? stats_median(medians, n) : NAN;
	free(medians);
}

static void copy_metric(struct result *half, struct result_benchmark *b,
			const struct result_metric *from, const bool *sides, bool second)
{
	struct result_metric *m = result_add_metric(half, b);

	m->name = from->name;
	m->unit = from->unit;
	m->better = from->better;
	for (size_t i = 0; i < from->n_boots; i++) {
		const struct result_boot *boot = &from->boots[i];
		struct result_boot *copy;

		if ((boot->index % 2 == sides[boot->index / 2]) == second)
			continue;
		copy = result_add_boot(half, m);
		copy->index = boot->index / 2;
		copy->valid = boot->valid;
		copy->summary = boot->summary;
	}
	estimate(m);
}

/* One boot of each pair, as a document; `r` owns the strings. */
static struct result *half_of(const struct result *r, const bool *sides, bool second)
{
	struct result *half = result_new();

	half->target = r->target;
	half->machine = r->machine;
	half->clock = r->clock;
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_metric *m = metric_of(&r->benchmarks[i]);
		struct result_benchmark *b;

		if (!m)
			continue;
		b = result_add_benchmark(half);
		b->name = r->benchmarks[i].name;
		b->config = r->benchmarks[i].config;
		b->group = r->benchmarks[i].group;
		b->handled_by = r->benchmarks[i].handled_by;
		copy_metric(half, b, m, sides, second);
	}
	return half;
}

static double visible(const struct compare *c, const struct compare_row *row, bool enough)
{
	if (isnan(row->lo) || !enough)
		return NAN;
	return compare_least_seen(c, row);
}

static bool is_wrong(const struct compare_row *row)
{
	return row->verdict == COMPARE_WORSE || row->verdict == COMPARE_BETTER ||
	       row->verdict == COMPARE_WORSE_MAYBE ||
	       row->verdict == COMPARE_BETTER_MAYBE;
}

static void count(struct aa_way *way, const struct compare *c)
{
	way->compared = c->n_rows - c->count[COMPARE_NONE];
	way->wrong = c->count[COMPARE_WORSE] + c->count[COMPARE_BETTER] +
		     c->count[COMPARE_WORSE_MAYBE] + c->count[COMPARE_BETTER_MAYBE];
	way->limit = NAN;
	if (way->wrong < way->compared)
		way->limit = gsl_cdf_beta_Pinv(0.95, (double)way->wrong + 1,
					       (double)(way->compared - way->wrong));
	else if (way->compared)
		way->limit = 1;
}

static void fill(struct aa *aa, const struct result *r, const struct compare *pairs,
		 const struct compare *runs)
{
	size_t least = stats_least_values(COMPARE_ALPHA, pairs->n_rows);

	for (size_t i = 0; i < pairs->n_rows; i++) {
		const struct compare_row *p = &pairs->rows[i], *q = &runs->rows[i];
		struct aa_row *row = &aa->rows[aa->n_rows];
		const struct result_benchmark *b;

		if (p->verdict == COMPARE_NONE)
			continue;
		aa->n_rows++;
		b = result_find(r, p->name, p->base.config);
		*row = (struct aa_row){
			.name = p->name,
			.config = p->base.config,
			.unit = p->unit,
			.value = result_find_metric(b, METRIC)->value,
			.difference = p->shift,
			.lo = p->lo,
			.hi = p->hi,
			.wrong_pairs = is_wrong(p),
			.wrong_runs = is_wrong(q),
			.visible_pairs = visible(
				pairs, p, p->exact || p->pairs >= aa->boots_needed),
			.visible_runs = visible(runs, q,
						q->exact || (q->base.boots >= least &&
							     q->new.boots >= least)),
		};
		/* Exact figures: a difference of 1 is detected. */
		if (p->exact)
			row->visible_pairs = row->visible_runs = 1;
	}
}

int aa_judge(const struct result *r, struct aa *aa)
{
	size_t pairs = pairs_of(r);
	bool *sides = draw_sides(r, pairs);
	struct result *first = half_of(r, sides, false),
		      *second = half_of(r, sides, true);
	const struct compare_options in_pairs = { .paired = true }, apart = { 0 };
	struct compare p = { 0 }, q = { 0 };
	struct error err;
	int rc = -ENODATA;

	*aa = (struct aa){ .boots = pairs };
	if (!compare_documents(first, second, &in_pairs, &p, &err) &&
	    !compare_documents(first, second, &apart, &q, &err)) {
		aa->rows = calloc(p.n_rows, sizeof(*aa->rows));
		if (!aa->rows)
			abort();
		aa->boots_needed = stats_least_pairs(COMPARE_ALPHA, p.n_rows);
		count(&aa->pairs, &p);
		count(&aa->runs, &q);
		fill(aa, r, &p, &q);
		rc = 0;
	}
	compare_free(&p);
	compare_free(&q);
	result_free(first);
	result_free(second);
	free(sides);
	return rc;
}

void aa_free(struct aa *aa)
{
	free(aa->rows);
	*aa = (struct aa){ 0 };
}
