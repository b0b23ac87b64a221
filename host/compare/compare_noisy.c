/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of noisy targets: intervals, tests, and what they allow to say. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "host/compare/compare_judge.h"
#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

#define LEVEL 0.95

/* What does not matter: this share of the figure, or so many steps of the clock. */
#define BAND_SHARE  0.01
#define BAND_QUANTA 2

/* The boots of a side, or of pairs: room for all of them. */
struct boots {
	double *base, *new, *work;
	size_t n_base, n_new;
};

static size_t boots_of(const struct result_metric *m)
{
	return m->n_boots ? m->n_boots : 1;
}

static void boots_make(struct boots *b, const struct compare_row *row)
{
	size_t base = boots_of(row->base.metric), new = boots_of(row->new.metric);

	/* A file may give several boots one index: then one of `new` is in several pairs.
	 */
	*b = (struct boots){
		.base = calloc(base, sizeof(double)),
		.new = calloc(base > new ? base : new, sizeof(double)),
		.work = calloc(base, sizeof(double)),
	};
	if (!b->base || !b->new || !b->work)
		abort();
}

static void boots_free(struct boots *b)
{
	free(b->base);
	free(b->new);
	free(b->work);
}

static bool usable(const struct result_boot *boot)
{
	return boot->valid && !isnan(boot->summary.p50);
}

/*
 * Every pair of boots of the two sides is looked at, so there is a limit: of more, every
 * second, third, ... one is taken.
 */
#define MEDIANS_MAX 2000

static size_t medians(const struct result_metric *m, double *out)
{
	size_t step = 1 + m->n_boots / MEDIANS_MAX, n = 0;

	for (size_t i = 0; i < m->n_boots; i += step)
		if (usable(&m->boots[i]))
			out[n++] = m->boots[i].summary.p50;
	return n;
}

/* Most often where it is in the other's list, too: `at`. */
static const struct result_boot *boot_at(const struct result_metric *m, uint32_t index,
					 size_t at)
{
	if (at < m->n_boots && m->boots[at].index == index)
		return &m->boots[at];
	for (size_t i = 0; i < m->n_boots; i++)
		if (m->boots[i].index == index)
			return &m->boots[i];
	return NULL;
}

/* Boots of the same index ran one after the other; a pair needs both. */
static void pair_up(struct boots *b, const struct compare_row *row)
{
	const struct result_metric *base = row->base.metric, *new = row->new.metric;

	b->n_base = 0;
	for (size_t i = 0; i < base->n_boots; i++) {
		const struct result_boot *boot = &base->boots[i], *other;

		other = boot_at(new, boot->index, i);
		if (!other || !usable(boot) || !usable(other))
			continue;
		b->base[b->n_base] = boot->summary.p50;
		b->new[b->n_base++] = other->summary.p50;
	}
	b->n_new = b->n_base;
}

static bool all_positive(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(values[i] > 0))
			return false;
	return true;
}

/* The same interval, in ln, read as ratios and as differences of the figure. */
static void set_from_logs(struct compare_row *row, double middle, double lo, double hi)
{
	row->shift_ratio = exp(middle);
	row->ratio_lo = exp(lo);
	row->ratio_hi = exp(hi);
	row->shift = row->base.value * (row->shift_ratio - 1);
	row->lo = row->base.value * (row->ratio_lo - 1);
	row->hi = row->base.value * (row->ratio_hi - 1);
}

static double median_of(const double *values, size_t n, double *work)
{
	memcpy(work, values, n * sizeof(*work));
	return stats_median(work, n);
}

/*
 * Pairs: the median of ln(new / base) and its order statistics, read back as ratios
 * and as differences of the figure. Where a figure may be zero or below, the same
 * over differences.
 */
static void measure_pairs(struct compare_row *row, struct boots *b)
{
	struct stats_interval ci;
	double middle;
	bool logs;

	row->method = "sign test";
	if (!b->n_base)
		return;
	/* What is compared is shown: not boots whose partner was rejected. */
	row->base.value = median_of(b->base, b->n_base, b->work);
	row->new.value = median_of(b->new, b->n_new, b->work);
	logs = all_positive(b->base, b->n_base) && all_positive(b->new, b->n_new);
	for (size_t i = 0; i < b->n_base; i++)
		b->work[i] = logs ? log(b->new[i] / b->base[i]) : b->new[i] - b->base[i];
	row->p = stats_sign_test(b->work, b->n_base);
	/* Not one pair that differs: nothing speaks for a difference. */
	if (isnan(row->p))
		row->p = 1;
	middle = stats_median(b->work, b->n_base);
	ci = (struct stats_interval){ .lo = NAN, .hi = NAN };
	stats_median_interval(b->work, b->n_base, LEVEL, &ci);
	if (logs) {
		set_from_logs(row, middle, ci.lo, ci.hi);
		return;
	}
	row->shift = middle;
	row->lo = ci.lo;
	row->hi = ci.hi;
}

/*
 * Boots of one run share a state of the machine that those of the other did not see.
 * So the interval takes in what two states may differ by, and the difference has to be
 * significant against that, too.
 */
static void allow_for_drift(struct stats_shift *shift, double *p,
			    const struct drift_between *drift)
{
	double reach = drift_reach(drift, LEVEL), sd, t;

	if (!(reach > 0) || isnan(shift->lo))
		return;
	sd = (shift->hi - shift->lo) / 2 / gsl_cdf_ugaussian_Pinv((1 + LEVEL) / 2);
	t = fabs(shift->shift) / hypot(sd, drift->sd);
	*p = fmax(*p, 2 * gsl_cdf_tdist_Q(t, drift->df));
	shift->lo = shift->shift - hypot(shift->shift - shift->lo, reach);
	shift->hi = shift->shift + hypot(shift->hi - shift->shift, reach);
}

static void take_logs(double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = log(values[i]);
}

static void measure_apart(struct compare_row *row, struct boots *b,
			  const struct drift_between *drift)
{
	bool logs = all_positive(b->base, b->n_base) && all_positive(b->new, b->n_new) &&
		    row->base.value > 0;
	struct stats_mann_whitney test;
	struct stats_shift shift;

	row->method = "Mann-Whitney";
	if (logs) {
		take_logs(b->base, b->n_base);
		take_logs(b->new, b->n_new);
	}
	/* None is left where only boots without a figure were taken. */
	if (!b->n_base || !b->n_new)
		return;
	if (stats_mann_whitney(b->base, b->n_base, b->new, b->n_new, &test) ||
	    stats_shift(b->base, b->n_base, b->new, b->n_new, LEVEL, &shift))
		abort(); /* no memory: both have boots */
	row->p = test.p;
	if (logs) {
		allow_for_drift(&shift, &row->p, drift);
		set_from_logs(row, shift.shift, shift.lo, shift.hi);
		return;
	}
	row->shift = shift.shift;
	row->lo = shift.lo;
	row->hi = shift.hi;
}

void compare_measure_noisy(const struct compare *c, struct compare_row *row,
			   double quantum)
{
	struct boots b;

	row->level = LEVEL;
	boots_make(&b, row);
	if (c->paired) {
		pair_up(&b, row);
		measure_pairs(row, &b);
		row->pairs = b.n_base;
	} else {
		b.n_base = medians(row->base.metric, b.base);
		b.n_new = medians(row->new.metric, b.new);
		measure_apart(row, &b, &c->drift);
	}
	if (b.n_base <= MEDIANS_MAX)
		row->cliff = stats_cliff(b.base, b.n_base, b.new, b.n_new);
	boots_free(&b);
	compare_set_difference(row);
	row->band = fmax(BAND_SHARE * fabs(row->base.value), BAND_QUANTA * quantum);
}

/* Farther from 0 than the band's edge: by more than rounding. */
static bool beyond(double difference, double band)
{
	return difference > band * (1 + 1e-9);
}

/* The boots moved one way, and their medians not: boots are of several kinds. */
static bool is_contrary(const struct compare_row *row)
{
	bool up = beyond(row->lo, row->band), down = beyond(-row->hi, row->band);

	return row->p_holm <= COMPARE_ALPHA &&
	       ((up && !(row->difference > 0)) || (down && !(row->difference < 0)));
}

static enum compare_verdict verdict_of(const struct compare_row *row)
{
	bool up = beyond(row->lo, row->band), down = beyond(-row->hi, row->band);

	if (isnan(row->lo) || isnan(row->hi) || is_contrary(row))
		return COMPARE_INCONCLUSIVE;
	if (row->p_holm <= COMPARE_ALPHA && (up || down))
		return compare_moved(row, up);
	if (!beyond(-row->lo, row->band) && !beyond(row->hi, row->band))
		return COMPARE_SAME;
	return COMPARE_INCONCLUSIVE;
}

static size_t boots_used(const struct compare *c, const struct compare_row *row)
{
	size_t base = row->base.boots, new = row->new.boots;

	return c->paired ? row->pairs : base < new ? base : new;
}

static void say_undecided(const struct compare *c, struct compare_row *row, size_t family)
{
	const char *what = "the interval reaches over the edge of what matters";
	const struct stats_power power = {
		.paired = c->paired,
		.shift = row->shift,
		.lo = row->lo,
		.hi = row->hi,
		.band = row->band,
		.drift = c->paired
				 ? 0
				 : drift_reach(&c->drift, LEVEL) * fabs(row->base.value),
		.boots = boots_used(c, row),
		.alpha = COMPARE_ALPHA,
		.family = family,
	};

	if (is_contrary(row)) {
		snprintf(row->reason, sizeof(row->reason),
			 "the boots moved one way, their medians did not: boots are of "
			 "several kinds");
		return;
	}
	row->boots_needed = stats_boots_needed(&power);
	if (isnan(row->lo))
		what = "too few boots for an interval";
	else if (beyond(row->lo, row->band) || beyond(-row->hi, row->band))
		what = "too few boots to be significant";
	if (isnan(row->boots_needed))
		snprintf(row->reason, sizeof(row->reason),
			 "%s, and no number of boots would change that%s", what,
			 c->drift.sd > 0 ? ": interleave the two, or quieten the machine"
					 : "");
	else
		snprintf(row->reason, sizeof(row->reason),
			 "%s: about %.0f boots a side would decide", what,
			 row->boots_needed);
}

void compare_judge_noisy(struct compare *c)
{
	double *p = calloc(c->n_rows + 1, sizeof(*p));
	size_t family = 0;

	if (!p)
		abort();
	for (size_t i = 0; i < c->n_rows; i++) {
		p[i] = c->rows[i].p;
		family += !isnan(p[i]);
	}
	if (stats_holm(p, c->n_rows, p))
		abort();
	for (size_t i = 0; i < c->n_rows; i++) {
		struct compare_row *row = &c->rows[i];

		/* The others are exact, changed, or without two figures. */
		if (row->level != LEVEL)
			continue;
		row->p_holm = p[i];
		row->verdict = verdict_of(row);
		if (row->verdict == COMPARE_INCONCLUSIVE)
			say_undecided(c, row, family ? family : 1);
	}
	free(p);
}
