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
		[COMPARE_WORSE_MAYBE] = "worse?",
		[COMPARE_BETTER_MAYBE] = "better?",
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

/* Adds the boots of a run to a side. */
static void add_boots(struct compare_side *s, const struct result_metric *m)
{
	s->all_boots += m ? m->n_boots : 0;
	for (size_t i = 0; m && i < m->n_boots; i++) {
		const struct result_boot *boot = &m->boots[i];

		if (!boot->valid || isnan(boot->summary.p50))
			continue;
		s->min = fmin(s->min, boot->summary.p50);
		s->max = fmax(s->max, boot->summary.p50);
		s->boots++;
	}
}

/* Adds a run. The first run with a figure represents the side. */
static void add_run(struct compare_side *s, const struct result_benchmark *b,
		    const char *metric)
{
	const struct result_metric *m = result_find_metric(b, metric);
	struct result_class class = result_class_of(b);
	size_t boots = s->boots;

	if (!s->runs)
		s->why = m && m->reason ? m->reason : "no estimate";
	add_boots(s, m);
	if (!m || s->boots == boots || isnan(m->value))
		return;
	if (!s->runs++) {
		s->benchmark = b;
		s->class = class;
		s->metric = m;
		s->value = m->value;
	} else if (result_class_differs(&s->class, &class)) {
		s->mixed = true;
	}
}

/* A side of a row, of the `n` runs in `docs`. */
static struct compare_side side_of(const struct result *const *docs, size_t n,
				   const char *name, const char *config,
				   const char *metric)
{
	struct compare_side s = {
		.config = config,
		.value = NAN,
		.min = NAN,
		.max = NAN,
	};

	for (size_t k = 0; k < n; k++) {
		const struct result_benchmark *b = result_find(docs[k], name, config);

		if (!s.benchmark)
			s.benchmark = b;
		if (b && b->status == RESULT_OK)
			add_run(&s, b, metric);
	}
	if (s.benchmark && s.benchmark->status == RESULT_OK && !s.runs)
		s.class = result_class_of(s.benchmark);
	if (s.mixed) {
		s.metric = NULL;
		s.why = "the runs differ in their handler or exits";
	}
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

/* The step of the figure by the coarsest clock. */
static double step_of(const struct compare *c, const struct compare_row *row)
{
	double step = 0;

	for (int s = 0; s < 2; s++)
		for (size_t k = 0; k < c->runs.n[s]; k++)
			step = fmax(step,
				    result_step(c->runs.docs[s][k], row->base.benchmark,
						row->base.metric));
	return step;
}

static void measure(const struct compare *c, struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;

	row->difference = row->shift = row->lo = row->hi = NAN;
	row->ratio = row->shift_ratio = row->ratio_lo = row->ratio_hi = NAN;
	row->level = row->df = row->p = row->p_holm = row->cliff = NAN;
	row->boots_needed = row->runs_needed = NAN;
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
		row->step = step_of(c, row);
		compare_measure_noisy(c, row);
	}
}

static void add_row(struct compare *c, const char *name, const char *const config[2],
		    const char *metric)
{
	struct compare_row *row;

	c->rows = reallocarray(c->rows, c->n_rows + 1, sizeof(*c->rows));
	if (!c->rows)
		abort();
	row = &c->rows[c->n_rows++];
	*row = (struct compare_row){
		.name = name,
		.metric = metric,
		.base = side_of(c->runs.docs[0], c->runs.n[0], name, config[0], metric),
		.new = side_of(c->runs.docs[1], c->runs.n[1], name, config[1], metric),
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

/* The first run's benchmark of a row on one side, or NULL. */
static const struct result_benchmark *find_run(const struct compare *c, int side,
					       size_t runs, const char *name,
					       const char *config)
{
	const struct result_benchmark *b = NULL;

	for (size_t k = 0; !b && k < runs; k++)
		b = result_find(c->runs.docs[side][k], name, config);
	return b;
}

/* A metric that neither side has is not a row. */
static void add_rows(struct compare *c, const struct compare_options *o, const char *name,
		     const char *const config[2])
{
	const struct result_benchmark *base = find_run(c, 0, c->runs.n[0], name,
						       config[0]),
				      *new = find_run(c, 1, c->runs.n[1], name,
						      config[1]);
	const char *other = main_metric(base) ? main_metric(base) : main_metric(new);

	if (!o->n_metrics)
		add_row(c, name, config, other ? other : DEFAULT_METRIC);
	for (size_t i = 0; i < o->n_metrics; i++)
		if ((base && result_find_metric(base, o->metrics[i])) ||
		    (new &&result_find_metric(new, o->metrics[i])))
			add_row(c, name, config, o->metrics[i]);
}

/* The rows of run `k` of a side that neither an earlier run nor an earlier side has. */
static void collect_run(struct compare *c, const struct compare_options *o, int side,
			size_t k)
{
	const struct result *r = c->runs.docs[side][k];

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];
		const char *const config[2] = {
			o->config[0] ? o->config[0] : b->config,
			o->config[1] ? o->config[1] : b->config,
		};

		if (!wanted(o, b->name) || strcmp(config[side], b->config) != 0 ||
		    find_run(c, side, k, b->name, b->config) ||
		    (side && find_run(c, 0, c->runs.n[0], b->name, config[0])))
			continue;
		add_rows(c, o, b->name, config);
	}
}

static void collect(struct compare *c, const struct compare_options *o)
{
	for (int side = 0; side < 2; side++)
		for (size_t k = 0; k < c->runs.n[side]; k++)
			collect_run(c, o, side, k);
}

static double worst_of(const struct compare_row *row)
{
	if (row->verdict == COMPARE_WORSE || row->verdict == COMPARE_WORSE_MAYBE)
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

static int check_kinds(const struct runs *runs, const struct compare_options *o,
		       struct error *err)
{
	const struct result *first = runs->docs[0][0];
	int rc = compare_check_runs(runs, err);

	for (int side = 0; side < 2; side++)
		for (size_t k = side ? 0 : 1; k < runs->n[side] && !rc; k++) {
			struct compare_options of = *o;

			/* Runs of the base have one config. */
			if (!side)
				of.config[1] = of.config[0];
			rc = compare_check_kind(first, runs->docs[side][k], &of, err);
		}
	return rc;
}

static const struct result_metric *round_trip_of(const struct result_benchmark *b)
{
	return b && b->status == RESULT_OK ? result_find_metric(b, DEFAULT_METRIC) : NULL;
}

static struct drift drift_of_all_pairs(const struct compare *c)
{
	struct drift_row *rows = calloc(c->base->n_benchmarks + 1, sizeof(*rows));
	struct drift d;
	size_t n = 0;

	if (!rows)
		abort();
	for (size_t i = 0; i < c->base->n_benchmarks; i++) {
		const struct result_benchmark *b = &c->base->benchmarks[i];
		const char *other = c->config[1] ? c->config[1] : b->config;

		if (c->config[0] && strcmp(b->config, c->config[0]) != 0)
			continue;
		rows[n].boots = round_trip_of(b);
		rows[n].others = round_trip_of(result_find(c->new, b->name, other));
		n += rows[n].boots && rows[n].others;
	}
	d = drift_of_pairs(rows, n);
	free(rows);
	return d;
}

/* Noise between runs where there are several, else within the two runs, or of pairs. */
static void learn_noise(struct compare *c)
{
	bool noisy = !c->base->target.exact || !c->new->target.exact;

	if (!noisy)
		return;
	if (c->paired) {
		c->drifts[0] = drift_of_all_pairs(c);
		return;
	}
	if (compare_has_runs(c)) {
		runs_learn(&c->runs, c->config);
		return;
	}
	c->drifts[0] = drift_of(c->base);
	c->drifts[1] = drift_of(c->new);
	c->drift = drift_between(&c->drifts[0], &c->drifts[1]);
}

/* Two sides of `run --against CONFIG`: the configs that they are of, unless given. */
static struct compare_options with_configs(const struct compare_options *o,
					   const struct result *base,
					   const struct result *new)
{
	struct compare_options with = *o;

	if (!o->config[0] && base->run.pair.config && new->run.pair.config) {
		with.config[0] = base->run.pair.config;
		with.config[1] = new->run.pair.config;
	}
	return with;
}

int compare_sides(const struct result *const *base, size_t n_base,
		  const struct result *const *new, size_t n_new,
		  const struct compare_options *given, struct compare *c,
		  struct error *err)
{
	const struct runs runs = { .docs = { base, new }, .n = { n_base, n_new } };
	const struct compare_options with = with_configs(given, base[0], new[0]),
				     *o = &with;
	bool pair =
		o->config[0] && (base[0] == new[0] || result_is_pair(base[0], new[0]));
	int rc = check_kinds(&runs, o, err);

	if (rc)
		return rc;
	*c = (struct compare){
		.base = base[0],
		.new = new[0],
		.config = { o->config[0], o->config[1] },
		.paired = n_base == 1 && n_new == 1 && (o->paired || pair),
		.runs = runs,
	};
	learn_noise(c);
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

int compare_documents(const struct result *base, const struct result *new,
		      const struct compare_options *o, struct compare *c,
		      struct error *err)
{
	int rc = compare_sides(&base, 1, &new, 1, o, c, err);

	/* `base` and `new` of `c` are the runs. */
	if (!rc)
		c->runs.docs[0] = c->runs.docs[1] = NULL;
	return rc;
}

void compare_free(struct compare *c)
{
	for (size_t i = 0; i < c->n_notes; i++)
		free(c->notes[i]);
	free(c->notes);
	free(c->rows);
	drift_free(&c->drifts[0]);
	drift_free(&c->drifts[1]);
	runs_free(&c->runs);
	*c = (struct compare){ 0 };
}

enum compare_verdict compare_outcome(const struct compare *c)
{
	size_t compared = c->n_rows - c->count[COMPARE_NONE];

	if (c->count[COMPARE_WORSE] > c->let_pass[COMPARE_WORSE])
		return COMPARE_WORSE;
	if (c->count[COMPARE_WORSE_MAYBE] > c->let_pass[COMPARE_WORSE_MAYBE])
		return COMPARE_WORSE_MAYBE;
	if (c->count[COMPARE_BETTER_MAYBE] ||
	    c->count[COMPARE_INCONCLUSIVE] > c->let_pass[COMPARE_INCONCLUSIVE] ||
	    c->n_lost || !compared)
		return COMPARE_INCONCLUSIVE;
	if (c->count[COMPARE_CHANGED])
		return COMPARE_CHANGED;
	return c->count[COMPARE_BETTER] ? COMPARE_BETTER : COMPARE_SAME;
}
