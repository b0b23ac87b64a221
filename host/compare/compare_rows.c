/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparison of two documents, or of two configs of one document, row by row. */
#include "host/compare/compare.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare_rules.h"

#define DEFAULT_METRIC "round_trip"

const char *compare_verdict_name(enum compare_verdict v)
{
	static const char *const names[COMPARE_VERDICTS] = {
		[COMPARE_WORSE] = "worse",
		[COMPARE_BETTER] = "better",
		[COMPARE_CHANGED] = "changed",
		[COMPARE_INCONCLUSIVE] = "inconclusive",
		[COMPARE_NONE] = "none",
		[COMPARE_SAME_PLACEMENT] = "same (placement)",
		[COMPARE_SAME] = "same",
	};

	return names[v];
}

static bool wanted(const struct compare_options *o, const char *name)
{
	for (size_t i = 0; i < o->n_benches; i++)
		if (result_bench_matches(o->benches[i], name))
			return true;
	return o->n_benches == 0;
}

static struct compare_side side_of(const struct result_benchmark *b, const char *config,
				   const char *metric)
{
	struct compare_side s = {
		.benchmark = b,
		.config = config,
		.value = NAN,
		.min = NAN,
		.max = NAN,
	};

	if (!b || b->status != RESULT_OK)
		return s;
	s.class = result_class_of(b);
	s.metric = result_find_metric(b, metric);
	s.why = s.metric && s.metric->reason ? s.metric->reason : "no estimate";
	for (size_t i = 0; s.metric && i < s.metric->n_boots; i++) {
		const struct result_boot *boot = &s.metric->boots[i];

		if (!boot->valid || isnan(boot->summary.p50))
			continue;
		s.min = fmin(s.min, boot->summary.p50);
		s.max = fmax(s.max, boot->summary.p50);
		s.boots++;
	}
	if (!s.boots || isnan(s.metric->value))
		s.metric = NULL;
	else
		s.value = s.metric->value;
	return s;
}

/* Why a side has no figure; NULL: it has one. */
static const char *lack(const struct compare_side *s)
{
	if (!s->benchmark)
		return "not in the document";
	if (s->benchmark->status != RESULT_OK)
		return s->benchmark->reason ? s->benchmark->reason : "no reason given";
	return s->metric ? NULL : s->why;
}

/* "NEW: skip: needs two CPUs"; "both: ..." if the reasons are equal. */
static void set_lack(const struct compare *c, struct compare_row *row)
{
	const char *base = lack(&row->base), *new = lack(&row->new);
	const char *words[2] = { "BASE", "NEW" };
	const struct compare_side *s = base ? &row->base : &row->new;
	const char *who = base ? words[0] : words[1], *why = base ? base : new;

	if (c->config[0]) {
		words[0] = row->base.config;
		words[1] = row->new.config;
		who = base ? words[0] : words[1];
	}
	if (base && new && !strcmp(base, new))
		who = "both";
	if (s->benchmark && s->benchmark->status != RESULT_OK)
		snprintf(row->reason, sizeof(row->reason), "%s: %s: %s", who,
			 result_status_name(s->benchmark->status), why);
	else
		snprintf(row->reason, sizeof(row->reason), "%s: %s", who, why);
}

/* The step of the coarser clock; 1 for metrics that another clock timed. */
static double quantum_of(const struct compare *c, const struct compare_row *row)
{
	double base = (double)c->base->clock.resolution;
	double new = (double)c->new->clock.resolution;

	if (strcmp(row->base.metric->unit, c->base->clock.unit) != 0)
		return 1;
	return fmax(1, fmax(base, new));
}

static void measure(const struct compare *c, struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;

	row->difference = row->shift = row->lo = row->hi = NAN;
	row->ratio = row->shift_ratio = row->ratio_lo = row->ratio_hi = NAN;
	row->level = row->p = row->p_holm = row->cliff = row->boots_needed = NAN;
	row->verdict = COMPARE_NONE;
	if (!base->metric || !new->metric) {
		set_lack(c, row);
		return;
	}
	if (strcmp(base->metric->unit, new->metric->unit) != 0) {
		compare_set_difference(row);
		row->difference = NAN;
		snprintf(row->reason, sizeof(row->reason),
			 "%s against %s: units cannot be compared", base->metric->unit,
			 new->metric->unit);
	} else if (result_class_differs(&base->class, &new->class)) {
		compare_set_difference(row);
		row->verdict = COMPARE_CHANGED;
		result_class_change(&base->class, &new->class, row->reason,
				    sizeof(row->reason));
	} else if (c->base->target.exact && c->new->target.exact) {
		compare_judge_exact(row);
	} else {
		compare_measure_noisy(c, row, quantum_of(c, row));
	}
}

static void add_row(struct compare *c, const struct result_benchmark *base,
		    const struct result_benchmark *new, const char *const config[2],
		    const char *metric)
{
	const struct result_benchmark *one = base ? base : new;
	struct compare_row *row;

	c->rows = reallocarray(c->rows, c->n_rows + 1, sizeof(*c->rows));
	if (!c->rows)
		abort();
	row = &c->rows[c->n_rows++];
	*row = (struct compare_row){
		.name = one->name,
		.metric = metric,
		.base = side_of(base, config[0] ? config[0] : one->config, metric),
		.new = side_of(new, config[1] ? config[1] : one->config, metric),
	};
	if (row->base.metric)
		row->unit = row->base.metric->unit;
	else if (row->new.metric)
		row->unit = row->new.metric->unit;
	measure(c, row);
}

/* The first metric of a benchmark without round_trip; NULL: it has round_trip. */
static const char *main_metric(const struct result_benchmark *b)
{
	if (!b || !b->n_metrics || result_find_metric(b, DEFAULT_METRIC))
		return NULL;
	return b->metrics[0].name;
}

/* A metric that neither side has is not a row. */
static void add_rows(struct compare *c, const struct compare_options *o,
		     const struct result_benchmark *base,
		     const struct result_benchmark *new)
{
	const char *other = main_metric(base) ? main_metric(base) : main_metric(new);

	if (!o->n_metrics)
		add_row(c, base, new, o->config, other ? other : DEFAULT_METRIC);
	for (size_t i = 0; i < o->n_metrics; i++)
		if ((base && result_find_metric(base, o->metrics[i])) ||
		    (new &&result_find_metric(new, o->metrics[i])))
			add_row(c, base, new, o->config, o->metrics[i]);
}

static const struct result_benchmark *
partner(const struct result *r, const struct result_benchmark *b, const char *config)
{
	return result_find(r, b->name, config ? config : b->config);
}

static void collect(struct compare *c, const struct compare_options *o)
{
	for (size_t i = 0; i < c->base->n_benchmarks; i++) {
		const struct result_benchmark *b = &c->base->benchmarks[i];

		if (wanted(o, b->name) &&
		    (!o->config[0] || !strcmp(b->config, o->config[0])))
			add_rows(c, o, b, partner(c->new, b, o->config[1]));
	}
	for (size_t i = 0; i < c->new->n_benchmarks; i++) {
		const struct result_benchmark *b = &c->new->benchmarks[i];

		if (wanted(o, b->name) &&
		    (!o->config[1] || !strcmp(b->config, o->config[1])) &&
		    !partner(c->base, b, o->config[0]))
			add_rows(c, o, NULL, b);
	}
}

static double worst_of(const struct compare_row *row)
{
	if (row->verdict == COMPARE_WORSE)
		return row->shift;
	if (row->verdict != COMPARE_INCONCLUSIVE || isnan(row->lo) || isnan(row->hi))
		return NAN;
	return compare_moved(row, true) == COMPARE_WORSE ? fmax(0, row->hi)
							 : fmin(0, row->lo);
}

static void count(struct compare *c, const struct compare_options *o)
{
	for (size_t i = 0; i < c->n_rows; i++) {
		struct compare_row *row = &c->rows[i];
		const struct threshold *t = threshold_find(o->thresholds, o->n_thresholds,
							   row->name, row->unit);

		row->worst = worst_of(row);
		if (t && threshold_covers(t, row->worst, row->base.value))
			row->let_pass = t;
		c->count[row->verdict]++;
		c->let_pass[row->verdict] += row->let_pass != NULL;
		c->n_lost += row->base.metric && row->verdict == COMPARE_NONE;
	}
}

int compare_documents(const struct result *base, const struct result *new,
		      const struct compare_options *o, struct compare *c,
		      struct error *err)
{
	int rc = compare_check_kind(base, new, o, err);

	if (rc)
		return rc;
	*c = (struct compare){
		.base = base,
		.new = new,
		.config = { o->config[0], o->config[1] },
		.paired = o->paired || (base == new && o->config[0]),
	};
	if (!c->paired) {
		struct drift drifts[] = { drift_of(base), drift_of(new) };

		c->drift = drift_between(&drifts[0], &drifts[1]);
	}
	collect(c, o);
	rc = compare_check_rows(c, o, err);
	if (!rc)
		rc = compare_check_thresholds(c, o, err);
	if (rc) {
		compare_free(c);
		return rc;
	}
	compare_judge_noisy(c);
	count(c, o);
	compare_note(c);
	return 0;
}

void compare_free(struct compare *c)
{
	for (size_t i = 0; i < c->n_notes; i++)
		free(c->notes[i]);
	free(c->notes);
	free(c->rows);
	*c = (struct compare){ 0 };
}

enum compare_verdict compare_outcome(const struct compare *c)
{
	size_t compared = c->n_rows - c->count[COMPARE_NONE];

	if (c->count[COMPARE_WORSE] > c->let_pass[COMPARE_WORSE])
		return COMPARE_WORSE;
	if (c->count[COMPARE_INCONCLUSIVE] > c->let_pass[COMPARE_INCONCLUSIVE] ||
	    c->n_lost || !compared)
		return COMPARE_INCONCLUSIVE;
	if (c->count[COMPARE_CHANGED])
		return COMPARE_CHANGED;
	return c->count[COMPARE_BETTER] ? COMPARE_BETTER : COMPARE_SAME;
}
