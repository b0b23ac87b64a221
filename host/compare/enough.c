/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a run has enough boots for a comparison to decide each of its rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

#include "host/compare/compare_rules.h"
#include "host/stats/two_sample.h"

#define METRIC "round_trip"

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

static const struct result_metric *metric_of(const struct result_benchmark *b)
{
	return b->status == RESULT_OK ? result_find_metric(b, METRIC) : NULL;
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
	row->band =
		fmax(COMPARE_BAND_SHARE,
		     COMPARE_BAND_QUANTA * fmax(1, (double)r->clock.resolution) / middle);
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
