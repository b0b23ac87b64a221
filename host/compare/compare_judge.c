/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict of a row: exact targets, noisy targets by intervals and tests, and the
 * thresholds below which a change does not count.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/compare/compare.h"
#include "host/compare/compare_rules.h"
#include "host/stats/summary.h"
#include "host/stats/two_sample.h"

/* ------------------------------ thresholds ------------------------------ */

/* "%" or a unit after the number. */
static int parse_unit(struct threshold *t, const char *unit, struct error *err)
{
	if (!strcmp(unit, "%"))
		return 0;
	t->unit = result_whole_unit(unit);
	if (t->unit)
		return 0;
	if (!*unit)
		return error_set(err, -EINVAL, "a number without a unit (1%%, 20insns)");
	return error_set(
		err, -EINVAL,
		"'%.40s' is not a unit (%%, insns, ticks, ns, cycles, counts, traps)",
		unit);
}

int threshold_parse(struct threshold *t, const char *text, struct error *err)
{
	const char *equals = strrchr(text, '=');
	const char *number = equals ? equals + 1 : text;
	size_t pattern = equals ? (size_t)(equals - text) : 0;
	char *end;

	*t = (struct threshold){ .text = text };
	if (equals && !pattern)
		return error_set(err, -EINVAL, "no benchmark before '='");
	if (pattern >= sizeof(t->pattern))
		return error_set(err, -EINVAL, "pattern longer than %zu characters",
				 sizeof(t->pattern) - 1);
	memcpy(t->pattern, text, pattern);
	/* strtod() also accepts blanks, signs, "inf" and hexadecimal numbers. */
	if (!isdigit((unsigned char)*number) || number[1] == 'x' || number[1] == 'X')
		return error_set(err, -EINVAL,
				 "'%.40s' is not an amount (1%%, 20insns, mmio_*=2%%)",
				 number);
	t->amount = strtod(number, &end);
	if (!isfinite(t->amount))
		return error_set(err, -EINVAL, "'%.40s' is out of range", number);
	return parse_unit(t, end, err);
}

bool threshold_names(const struct threshold *t, const char *benchmark)
{
	return !*t->pattern || !fnmatch(t->pattern, benchmark, 0);
}

bool threshold_names_any(const struct threshold *t)
{
	for (const struct bench *b = bench_table; b->id; b++)
		if (threshold_names(t, b->id))
			return true;
	return false;
}

const struct threshold *threshold_find(const struct threshold *list, size_t n,
				       const char *benchmark, const char *unit)
{
	const struct threshold *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct threshold *t = &list[i];

		if (!threshold_names(t, benchmark) ||
		    (t->unit && (!unit || strcmp(t->unit, unit) != 0)))
			continue;
		if (!found || *t->pattern || !*found->pattern)
			found = t;
	}
	return found;
}

bool threshold_covers(const struct threshold *t, double difference, double base)
{
	double most = t->unit ? t->amount : t->amount / 100 * fabs(base);

	/* Tolerates rounding errors: 1 % of 29 is less than 0.29. */
	return fabs(difference) <= most * (1 + 1e-9);
}

/* ------------------------------ verdicts ------------------------------ */

void compare_set_difference(struct compare_row *row)
{
	double base = row->base.value, new = row->new.value;

	row->difference = new - base;
	row->ratio = base > 0 && new > 0 ? new / base : NAN;
}

enum compare_verdict compare_moved(const struct compare_row *row, bool up)
{
	const char *better = row->base.metric->better;
	bool lower = !better || strcmp(better, "higher") != 0;

	return up == lower ? COMPARE_WORSE : COMPARE_BETTER;
}

/* The mean shows events on another path, which the median does not. */
static void remark_mean(struct compare_row *row)
{
	double base = row->base.metric->boots[0].summary.mean;
	double new = row->new.metric->boots[0].summary.mean;

	if (base != new)
		snprintf(row->reason, sizeof(row->reason),
			 "equal medians; mean of the events: %.2f, now %.2f", base, new);
}

static void judge_points(struct compare_row *row)
{
	row->exact = true;
	row->method = "exact";
	compare_set_difference(row);
	if (row->difference != 0)
		row->verdict = compare_moved(row, row->difference > 0);
	else
		row->verdict = COMPARE_SAME;
	if (row->verdict == COMPARE_SAME)
		remark_mean(row);
}

/*
 * Boots of one run differ where the path in the kernel depends on the addresses of its
 * data, which differ between boots, and between kernels. The figure is then the range
 * over the boots. Overlapping ranges are the same; disjoint ranges differ by the distance
 * of their nearest ends.
 */
static void judge_ranges(struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;
	bool up = row->lo > 0, down = row->hi < 0;
	double from = up ? base->max : base->min, to = up ? new->min : new->max;
	double chance = stats_apart_by_chance(base->boots, new->boots);

	row->method = "range";
	row->difference = up || down ? to - from : 0;
	if (base->min > 0 && new->min > 0)
		row->ratio = up || down ? to / from : 1;
	row->verdict = up || down ? compare_moved(row, up) : COMPARE_SAME_PLACEMENT;
	/* A range of few boots is not reliable. */
	if ((up || down) && chance > COMPARE_ALPHA)
		snprintf(
			row->reason, sizeof(row->reason),
			"boots of one run differ: ranges over %zu and %zu boots are disjoint by chance in up to %.0f %% of comparisons (less than 1 %% with --boots %zu)",
			base->boots, new->boots, 100 * chance,
			stats_least_values(COMPARE_ALPHA, 1));
}

/* Waits of an event; 0: none, or not counted. */
static double waits_of(const struct compare_side *side)
{
	const struct result_metric *m = result_find_metric(side->benchmark, "waits");

	return m && m->value > 0 ? m->value : 0;
}

/*
 * While a thread waits, the CPU of an exact target can be idle, and its clock advances to
 * the next timer: a difference of the figures need not be one of the path. If the event
 * also waits more often or less often, the verdict stays, else nothing is decided.
 */
static void judge_waits(struct compare_row *row)
{
	double base = waits_of(&row->base), new = waits_of(&row->new);

	if ((base == 0 && new == 0) ||
	    strncmp(row->metric, "round_trip", strlen("round_trip")) != 0 ||
	    (row->verdict != COMPARE_WORSE && row->verdict != COMPARE_BETTER))
		return;
	if (fabs(new - base) >= 0.5 && (new > base) == (row->difference > 0)) {
		snprintf(
			row->reason, sizeof(row->reason),
			"waits of an event: %.3g, now %.3g; the clock may advance in them",
			base, new);
		return;
	}
	row->verdict = COMPARE_INCONCLUSIVE;
	snprintf(
		row->reason, sizeof(row->reason),
		"waits of an event: %.3g, now %.3g; the clock may advance in them, so the figures are not path lengths",
		base, new);
}

void compare_judge_exact(struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;

	row->lo = new->min - base->max;
	row->hi = new->max - base->min;
	if (base->min > 0 && new->min > 0) {
		row->ratio_lo = new->min / base->max;
		row->ratio_hi = new->max / base->min;
	}
	row->level = 1;
	if (base->min == base->max && new->min == new->max)
		judge_points(row);
	else
		judge_ranges(row);
	judge_waits(row);
	row->shift = row->difference;
	row->shift_ratio = row->ratio;
}

/* Noisy targets. */
#define LEVEL COMPARE_LEVEL

/* Boot medians of the two sides, and work space. */
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

	/* A document can have boots with equal indices: a boot of `new` is then in
	 * several pairs. */
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

/* The tests are quadratic: of more boots, only each second, third, ... boot is used. */
#define MEDIANS_MAX 2000

static size_t medians(const struct result_metric *m, double *out)
{
	size_t step = 1 + m->n_boots / MEDIANS_MAX, n = 0;

	for (size_t i = 0; i < m->n_boots; i += step)
		if (usable(&m->boots[i]))
			out[n++] = m->boots[i].summary.p50;
	return n;
}

const struct result_boot *compare_boot_at(const struct result_metric *m, uint32_t index,
					  size_t at)
{
	if (at < m->n_boots && m->boots[at].index == index)
		return &m->boots[at];
	for (size_t i = 0; i < m->n_boots; i++)
		if (m->boots[i].index == index)
			return &m->boots[i];
	return NULL;
}

/* Boots with equal indices are a pair; both must be usable. */
static void pair_up(struct boots *b, const struct compare_row *row)
{
	const struct result_metric *base = row->base.metric, *new = row->new.metric;

	b->n_base = 0;
	for (size_t i = 0; i < base->n_boots; i++) {
		const struct result_boot *boot = &base->boots[i], *other;

		other = compare_boot_at(new, boot->index, i);
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

/* Sets ratios and differences from an estimate and interval of ln ratios. */
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

struct drift_between compare_own_drift(const struct compare *c,
				       const struct compare_row *row)
{
	const struct result_metric *metrics[2] = { row->base.metric, row->new.metric };
	struct drift_between base, new;

	if (c->paired)
		return drift_of_row(&c->drifts[0],
				    &(struct drift_row){ metrics[0], metrics[1] });
	base = drift_of_row(&c->drifts[0], &(struct drift_row){ metrics[0], NULL });
	new = drift_of_row(&c->drifts[1], &(struct drift_row){ metrics[1], NULL });
	return (struct drift_between){
		.sd = hypot(base.sd, new.sd),
		.df = stats_df_of_sum(base.sd * base.sd, base.df, new.sd *new.sd, new.df),
	};
}

/*
 * The test takes boots as independent. What they depend on is added to the interval, and
 * the shift must be significant against it, too: the drift of the machine, which the two
 * runs can have seen in different states, and the row's own dependence on its last boot.
 * Pairs share the drift.
 */
static void allow_for_drift(struct stats_shift *shift, double *p, const struct compare *c,
			    const struct compare_row *row)
{
	const struct drift_between *all = &c->drift, own = compare_own_drift(c, row);
	double reach = hypot(drift_reach(all, LEVEL), drift_reach(&own, LEVEL)), sd, df;

	if (!(reach > 0) || isnan(shift->lo))
		return;
	sd = (shift->hi - shift->lo) / 2 / gsl_cdf_ugaussian_Pinv((1 + LEVEL) / 2);
	df = stats_df_of_sum(all->sd * all->sd, all->df, own.sd * own.sd, own.df);
	*p = fmax(*p, 2 * gsl_cdf_tdist_Q(fabs(shift->shift) /
						  hypot(sd, hypot(all->sd, own.sd)),
					  df));
	shift->lo = shift->shift - hypot(shift->shift - shift->lo, reach);
	shift->hi = shift->shift + hypot(shift->hi - shift->shift, reach);
}

/*
 * Pairs: Wilcoxon's test of ln(new / base), whose shift is the median of the means of two
 * pairs. If a figure is zero or negative: of the differences.
 */
static void measure_pairs(const struct compare *c, struct compare_row *row,
			  struct boots *b)
{
	size_t step = 1 + b->n_base / MEDIANS_MAX, n = 0;
	struct stats_signed_rank test;
	struct stats_shift shift;
	bool logs;

	row->method = "signed rank";
	if (!b->n_base)
		return;
	/* The figures are over the compared boots. */
	row->base.value = median_of(b->base, b->n_base, b->work);
	row->new.value = median_of(b->new, b->n_new, b->work);
	logs = all_positive(b->base, b->n_base) && all_positive(b->new, b->n_new);
	for (size_t i = 0; i < b->n_base; i += step)
		b->work[n++] =
			logs ? log(b->new[i] / b->base[i]) : b->new[i] - b->base[i];
	if (stats_signed_rank(b->work, n, LEVEL, &test))
		abort(); /* out of memory */
	/* all pairs are equal */
	row->p = isnan(test.p) ? 1 : test.p;
	if (logs) {
		shift = (struct stats_shift){ test.shift, test.lo, test.hi, LEVEL };
		allow_for_drift(&shift, &row->p, c, row);
		set_from_logs(row, shift.shift, shift.lo, shift.hi);
		return;
	}
	row->shift = test.shift;
	row->lo = test.lo;
	row->hi = test.hi;
}

static void take_logs(double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = log(values[i]);
}

static void measure_apart(const struct compare *c, struct compare_row *row,
			  struct boots *b)
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
	/* no usable boot */
	if (!b->n_base || !b->n_new)
		return;
	if (stats_mann_whitney(b->base, b->n_base, b->new, b->n_new, &test) ||
	    stats_shift(b->base, b->n_base, b->new, b->n_new, LEVEL, &shift))
		abort(); /* out of memory */
	row->p = test.p;
	if (logs) {
		allow_for_drift(&shift, &row->p, c, row);
		set_from_logs(row, shift.shift, shift.lo, shift.hi);
		return;
	}
	row->shift = shift.shift;
	row->lo = shift.lo;
	row->hi = shift.hi;
}

static void set_band(struct compare_row *row)
{
	row->band = fmax(COMPARE_BAND_SHARE * fabs(row->base.value),
			 COMPARE_BAND_QUANTA * row->step);
	/* Else all that is not nothing would be outside the band of a share of nothing.
	 */
	if (!strcmp(row->base.metric->unit, "%"))
		row->band = fmax(row->band, COMPARE_BAND_POINTS);
}

void compare_measure_noisy(const struct compare *c, struct compare_row *row)
{
	struct boots b;

	row->level = LEVEL;
	if (compare_has_runs(c)) {
		compare_measure_runs(c, row);
		set_band(row);
		return;
	}
	boots_make(&b, row);
	if (c->paired) {
		pair_up(&b, row);
		measure_pairs(c, row, &b);
		row->pairs = b.n_base;
	} else {
		b.n_base = medians(row->base.metric, b.base);
		b.n_new = medians(row->new.metric, b.new);
		measure_apart(c, row, &b);
	}
	if (b.n_base <= MEDIANS_MAX)
		row->cliff = stats_cliff(b.base, b.n_base, b.new, b.n_new);
	boots_free(&b);
	compare_set_difference(row);
	set_band(row);
}

bool compare_band_of_clock(const struct compare_row *row)
{
	return COMPARE_BAND_QUANTA * row->step >
	       COMPARE_BAND_SHARE * fabs(row->base.value);
}

/* Beyond the band by more than a rounding error. */
static bool beyond(double difference, double band)
{
	return difference > band * (1 + 1e-9);
}

/* The shift and the difference of the medians have different signs. */
static bool is_contrary(const struct compare_row *row)
{
	bool up = beyond(row->lo, row->band), down = beyond(-row->hi, row->band);

	return row->p_holm <= COMPARE_ALPHA &&
	       ((up && !(row->difference > 0)) || (down && !(row->difference < 0)));
}

/* With one run a side, or with runs in blocks, the reason can be the machine. */
static enum compare_verdict moved_between(const struct compare *c,
					  const struct compare_row *row, bool up)
{
	enum compare_verdict v = compare_moved(row, up);

	if (c->paired || (compare_has_runs(c) && !c->runs.blocks))
		return v;
	return v == COMPARE_WORSE ? COMPARE_WORSE_MAYBE : COMPARE_BETTER_MAYBE;
}

/*
 * A difference of which the clock's steps hide the size: more than nothing, and more than
 * the share that does not matter, but within the steps that two figures can differ by.
 */
static bool is_hidden_by_clock(const struct compare_row *row)
{
	double share = COMPARE_BAND_SHARE * fabs(row->base.value);
	double most = fmax(row->hi, -row->lo);

	return compare_band_of_clock(row) && row->p_holm <= COMPARE_ALPHA &&
	       (row->lo > 0 || row->hi < 0) && beyond(most, share) &&
	       !beyond(most, row->band);
}

static enum compare_verdict verdict_of(const struct compare *c,
				       const struct compare_row *row)
{
	bool up = beyond(row->lo, row->band), down = beyond(-row->hi, row->band);

	if (isnan(row->lo) || isnan(row->hi) || is_contrary(row))
		return COMPARE_INCONCLUSIVE;
	if (row->p_holm <= COMPARE_ALPHA && (up || down))
		return moved_between(c, row, up);
	if (!beyond(-row->lo, row->band) && !beyond(row->hi, row->band))
		return is_hidden_by_clock(row) ? COMPARE_INCONCLUSIVE : COMPARE_SAME;
	return COMPARE_INCONCLUSIVE;
}

static void explain_undecided(const struct compare *c, struct compare_row *row)
{
	if (is_contrary(row))
		snprintf(
			row->reason, sizeof(row->reason),
			"the shift and the medians have different directions: the boots have several modes");
	else
		compare_advise(c, row);
}

void compare_judge_noisy(struct compare *c)
{
	double *p = calloc(c->n_rows + 1, sizeof(*p));

	if (!p)
		abort();
	c->family = 0;
	for (size_t i = 0; i < c->n_rows; i++) {
		p[i] = c->rows[i].p;
		c->family += !isnan(p[i]);
	}
	c->family += !c->family;
	if (stats_holm(p, c->n_rows, p))
		abort();
	for (size_t i = 0; i < c->n_rows; i++) {
		struct compare_row *row = &c->rows[i];

		/* Other rows are exact, changed, or lack a figure. */
		if (row->level != LEVEL)
			continue;
		row->p_holm = p[i];
		row->verdict = verdict_of(c, row);
		if (row->verdict == COMPARE_INCONCLUSIVE)
			explain_undecided(c, row);
	}
	free(p);
}
