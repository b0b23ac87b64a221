/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run can decide: its resolution, by a comparison with itself, and whether it has
 * enough boots.
 */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare_rules.h"
#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

/* ------------------------------ a run against itself ------------------------------ */

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

/* ------------------------------ enough boots ------------------------------ */

/* Probability that all rows of a comparison are decided. */
#define POWER 0.9

/* Variance of a Hodges-Lehmann shift, in that of a mean. */
#define RANK_COST (M_PI / 3)

/* Least boots for a variance. */
#define BOOTS_MIN 4

static bool usable(const struct result_boot *boot)
{
	return boot->valid && boot->summary.p50 > 0;
}

/* The first measured config of the same benchmark; NULL: this is the first. */
static const struct result_benchmark *base_of(const struct result *r, size_t i)
{
	for (size_t k = 0; k < i && metric_of(&r->benchmarks[i]); k++)
		if (metric_of(&r->benchmarks[k]) &&
		    !strcmp(r->benchmarks[k].name, r->benchmarks[i].name))
			return &r->benchmarks[k];
	return NULL;
}

/* ln of the boots, or of their ratios to the boots of `base`. Returns their number. */
static size_t logs_of(const struct result_metric *m, const struct result_metric *base,
		      double *logs)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_boots; i++) {
		const struct result_boot *boot = &m->boots[i], *other = boot;

		if (base)
			other = i < base->n_boots ? &base->boots[i] : NULL;
		if (!other || other->index != boot->index || !usable(boot) ||
		    !usable(other))
			continue;
		logs[n++] = log(boot->summary.p50) - (base ? log(other->summary.p50) : 0);
	}
	return n;
}

/* A row to be decided: the standard error of its shift, and boots. */
struct row {
	const struct result_benchmark *benchmark;
	double se, band; /* of ln */
	size_t boots;
};

static bool row_of(const struct result *r, const struct drift *d,
		   const struct result_benchmark *b, const struct result_benchmark *base,
		   struct row *row)
{
	const struct result_metric *m = metric_of(b),
				   *other = base ? metric_of(base) : NULL;
	const struct drift_row boots = { m, other };
	struct drift_between all = drift_between(d, d), own;
	double *logs, variance, middle;

	if (!m || (base && !other))
		return false;
	logs = calloc(m->n_boots + 1, sizeof(*logs));
	if (!logs)
		abort();
	*row = (struct row){ .benchmark = b, .boots = logs_of(m, NULL, logs) };
	middle = row->boots ? exp(gsl_stats_mean(logs, 1, row->boots)) : 0;
	row->boots = logs_of(m, other, logs);
	variance = row->boots < BOOTS_MIN
			   ? NAN
			   : gsl_stats_variance(logs, 1, row->boots) / (double)row->boots;
	free(logs);
	/* A figure near nothing has no share. */
	if (!(middle > 0))
		return false;
	row->band = fmax(COMPARE_BAND_SHARE,
			 COMPARE_BAND_QUANTA * result_step(r, b, m) / middle);
	own = drift_of_row(d, &boots);
	row->se = base ? sqrt(RANK_COST * variance + own.sd * own.sd)
		       : sqrt(2 * (RANK_COST * variance + own.sd * own.sd) +
			      all.sd * all.sd);
	return true;
}

static struct drift drift_of_all_pairs(const struct result *r)
{
	struct drift_row *rows = calloc(r->n_benchmarks + 1, sizeof(*rows));
	struct drift d;
	size_t n = 0;

	if (!rows)
		abort();
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *base = base_of(r, i);

		if (base)
			rows[n++] = (struct drift_row){ metric_of(&r->benchmarks[i]),
							metric_of(base) };
	}
	d = drift_of_pairs(rows, n);
	free(rows);
	return d;
}

bool compare_is_enough(const struct result *r, double change, struct compare_enough *out)
{
	struct row *rows = calloc(r->n_benchmarks + 1, sizeof(*rows));
	struct drift d = drift_of(r);
	double worst = 0, power;
	size_t least;

	if (!rows)
		abort();
	*out = (struct compare_enough){ .boots = d.rounds };
	for (size_t i = 0; i < r->n_benchmarks; i++)
		out->pairs |= base_of(r, i) != NULL;
	if (out->pairs) {
		drift_free(&d);
		d = drift_of_all_pairs(r);
	}
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *base = base_of(r, i);

		if (out->pairs == (base != NULL))
			out->rows +=
				row_of(r, &d, &r->benchmarks[i], base, &rows[out->rows]);
	}
	/* Every row is decided with this probability: the family errs in 1 - POWER. */
	power = gsl_cdf_ugaussian_Pinv(1 - (1 - POWER) / 2 /
						   (double)(out->rows ? out->rows : 1));
	least = out->pairs ? stats_least_pairs(COMPARE_ALPHA, out->rows ? out->rows : 1)
			   : stats_least_values(COMPARE_ALPHA, out->rows ? out->rows : 1);
	for (size_t i = 0; i < out->rows; i++) {
		double room = fmax(log(1 + change) - rows[i].band, rows[i].band);
		double interval = gsl_cdf_tdist_Pinv((1 + COMPARE_LEVEL) / 2,
						     (double)rows[i].boots - 1);
		double share = rows[i].boots < least || isnan(rows[i].se)
				       ? INFINITY
				       : (interval + power) * rows[i].se / room;

		out->decided += share <= 1;
		if (share > 1 && share > worst && rows[i].benchmark) {
			worst = share;
			out->worst = rows[i].benchmark->name;
		}
	}
	free(rows);
	drift_free(&d);
	return out->decided == out->rows;
}
