/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparisons of simulated documents. */
#include "host/tests/sim/sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_randist.h>

#include "host/compare/compare.h"
#include "host/history/history.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/stats/summary.h"
#include "host/tests/compare_fixture.h"

#define ROWS_MAX  50
#define BOOTS_MAX 60
#define RUNS_MAX  40

/* ln(boot) = level of the row + each of these. */
struct noise {
	double row_run;	      /* sd of a row in a run: memory layout, reboot */
	double run;	      /* sd of a run, common to all rows */
	struct sim_ar shared; /* of a round, common to all rows of the run */
	struct sim_ar own;    /* of a boot */
	bool uneven;	      /* row_run: half, and of every fifth row four times */
};

struct detail {
	struct noise noise;
	size_t rows, boots, runs; /* runs: of each side */
	double shift;		  /* of the first row, in ln; 0: A/A */
	bool paired;
	double decide; /* boots as of run --decide, `boots` at most; 0: all */
	/*
	 * `wsbench power` sees `runs` runs of `boots` boots, and names the runs (of one
	 * run: the boots) that find the shift, which are then compared.
	 */
	bool planned;
	/* The shift is what the comparison of a try without one says is seen. */
	bool hidden;
};

/* A side: documents that are made once and filled for each repetition. */
struct side {
	struct result *runs[RUNS_MAX];
};

static struct side side_new(const struct detail *d, const char *letter)
{
	const double zero[BOOTS_MAX] = { 0 };
	struct side s = { 0 };

	if (!d->runs || d->runs > RUNS_MAX || d->boots > BOOTS_MAX)
		abort();
	for (size_t k = 0; k < d->runs; k++) {
		struct result *r = fixture_document("kvm", false);

		r->run.id = result_format(r, "%s%zu", letter, k);
		for (size_t i = 0; i < d->rows; i++) {
			char name[32];

			snprintf(name, sizeof(name), "row%zu", i);
			fixture_boots(r, fixture_row(r, name, "default"), zero, d->boots);
		}
		s.runs[k] = r;
	}
	return s;
}

static void side_free(struct side *s, size_t runs)
{
	for (size_t k = 0; k < runs; k++)
		result_free(s->runs[k]);
}

static void fill_run(struct result *r, const struct detail *d, gsl_rng *rng,
		     const double *shared, double shift)
{
	double run = gsl_ran_gaussian(rng, d->noise.run);

	for (size_t i = 0; i < d->rows; i++) {
		struct result_metric *m = &r->benchmarks[i].metrics[0];
		double times = !d->noise.uneven ? 1 : i % 5 ? 0.5 : 4;
		double row = gsl_ran_gaussian(rng, times * d->noise.row_run) + run;
		double own[BOOTS_MAX], sorted[BOOTS_MAX];

		m->n_boots = d->boots;
		sim_ar_fill(rng, &d->noise.own, own, d->boots);
		for (size_t k = 0; k < d->boots; k++) {
			struct stats_summary *s = &m->boots[k].summary;

			s->p50 = 10000 * exp(row + shared[k] + own[k] + (i ? 0 : shift));
			s->mean = sorted[k] = s->p50;
		}
		m->value = stats_median(sorted, d->boots);
	}
}

/* Pairs are two configurations of one run: they share the rounds' noise. */
static void fill(const struct detail *d, gsl_rng *rng, struct side *base,
		 struct side *new)
{
	double shared[BOOTS_MAX];

	for (size_t k = 0; k < d->runs; k++) {
		sim_ar_fill(rng, &d->noise.shared, shared, d->boots);
		fill_run(base->runs[k], d, rng, shared, 0);
		if (!d->paired)
			sim_ar_fill(rng, &d->noise.shared, shared, d->boots);
		fill_run(new->runs[k], d, rng, shared, d->shift);
	}
}

/* Leaves the first `n` boots of a document. */
static void shorten(struct result *r, size_t n)
{
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		struct result_metric *m = &r->benchmarks[i].metrics[0];
		double boots[BOOTS_MAX];

		m->n_boots = n;
		for (size_t k = 0; k < n; k++)
			boots[k] = m->boots[k].summary.p50;
		m->value = stats_median(boots, n);
	}
}

/* Ten boots, and more until there are enough. */
static void stop_early(const struct detail *d, struct result *r)
{
	struct compare_enough enough;

	for (size_t n = 10; n <= d->boots; n += n / 4 + 1) {
		shorten(r, n);
		if (compare_is_enough(r, d->decide, &enough))
			return;
	}
	shorten(r, d->boots);
}

/* The comparison of the program. */
static void judge(const struct detail *d, const struct side *base, const struct side *new,
		  struct compare *c)
{
	const struct compare_options o = { .paired = d->paired };
	struct error err;

	if (d->decide > 0) {
		stop_early(d, base->runs[0]);
		stop_early(d, new->runs[0]);
	}
	if (compare_sides((const struct result *const *)base->runs, d->runs,
			  (const struct result *const *)new->runs, d->runs, &o, c,
			  &err)) {
		fprintf(stderr, "power: %s\n", err.text);
		abort();
	}
}

static void count(const struct detail *d, const struct compare *c, struct sim_counts *out)
{
	/* `worse?` of two runs that do differ is right. */
	bool differ = d->runs == 1 && (d->noise.row_run > 0 || d->noise.run > 0);
	size_t wrong = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		enum compare_verdict v = c->rows[i].verdict;
		bool up = v == COMPARE_WORSE || (!differ && v == COMPARE_WORSE_MAYBE);
		bool down = v == COMPARE_BETTER || (!differ && v == COMPARE_BETTER_MAYBE);

		if (!i && d->shift > 0) {
			out->wanted++;
			out->found += up;
			wrong += down;
		} else {
			wrong += up || down;
		}
	}
	out->units++;
	out->rows += c->n_rows;
	out->wrong_rows += wrong;
	out->wrong_units += wrong > 0;
	out->undecided += compare_outcome(c) == COMPARE_INCONCLUSIVE ||
			  compare_outcome(c) == COMPARE_WORSE_MAYBE;
}

/*
 * The runs or boots of each side that power names for the shift, from the base; 0: power
 * does not know the noise, or more than this file can simulate.
 */
static size_t planned(const struct detail *d, const struct side *base)
{
	static const struct history_query all;
	const struct power_query q = { .select = &all };
	size_t most = d->runs > 1 ? RUNS_MAX : BOOTS_MAX;
	struct power_page page;
	struct error err;
	double need = NAN;

	if (power_of_documents(base->runs, d->runs, &q, &page, &err)) {
		fprintf(stderr, "power: %s\n", err.text);
		abort();
	}
	for (size_t k = 0; k < POWER_CHANGES && page.n_rows; k++)
		if (fabs(log1p(power_changes[k]) - d->shift) < 1e-4)
			need = page.rows[0].need[k];
	power_free(&page);
	return need <= (double)most ? (size_t)need : 0;
}

/* The least shift of the first row that a comparison without a shift says is seen. */
static double seen(const struct detail *d, gsl_rng *rng, struct side *base,
		   struct side *new)
{
	struct compare c;
	double change;

	fill(d, rng, base, new);
	judge(d, base, new, &c);
	change = compare_least_seen(&c, &c.rows[0]) / c.rows[0].base.value;
	compare_free(&c);
	return log1p(change);
}

static void simulate(const struct sim_scenario *s, gsl_rng *rng, size_t repeat,
		     struct sim_counts *out)
{
	const struct detail *d = s->detail;
	struct detail room = *d, now = *d;
	struct side base, new;

	if (d->planned) {
		room.runs = d->runs > 1 ? RUNS_MAX : 1;
		room.boots = d->runs > 1 ? d->boots : BOOTS_MAX;
	}
	base = side_new(&room, "a");
	new = side_new(&room, "b");
	for (size_t i = 0; i < repeat; i++) {
		struct compare c;
		size_t need;

		if (d->planned) {
			fill(d, rng, &base, &new);
			need = planned(d, &base);
			if (!need)
				continue;
			*(d->runs > 1 ? &now.runs : &now.boots) = need;
		}
		if (d->hidden)
			now.shift = seen(d, rng, &base, &new);
		fill(&now, rng, &base, &new);
		judge(&now, &base, &new, &c);
		count(&now, &c, out);
		compare_free(&c);
	}
	side_free(&base, room.runs);
	side_free(&new, room.runs);
}

#define DETAIL(...) (&(const struct detail){ __VA_ARGS__, .planned = false })
#define PLAN(...)   (&(const struct detail){ __VA_ARGS__, .planned = true })
#define HIDE(...)   (&(const struct detail){ __VA_ARGS__, .hidden = true })
#define NOISE_OF(row_run, run, shared, shared_phi, own, own_phi, uneven)                 \
	{                                                                                \
		row_run, run, { shared, shared_phi }, { own, own_phi }, uneven           \
	}
#define NOISE(...)  NOISE_OF(__VA_ARGS__, false)
#define UNEVEN(...) NOISE_OF(__VA_ARGS__, true)
#define SHIFT	    0.0198026 /* ln(1.02) */

static const struct sim_scenario scenarios[] = {
	{ "A/A, own noise 0.2 %",
	  200,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, own noise 0.5 %",
	  200,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, own noise 0.5 %, --decide 2 %",
	  200,
	  false,
	  { SIM_EXIT3, 0.1, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 50, 60, 1, 0, false, 0.02) },
	{ "A/A, own noise 1 %, --decide 2 %, false verdicts",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0), 50, 60, 1, 0, false, 0.02) },
	{ "+2 %, own noise 0.5 %, --decide 2 %",
	  200,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 50, 60, 1, SHIFT, false, 0.02) },
	{ "A/A, own noise 2 %",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.02, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, row effects 0.5 %, 1 run a side",
	  200,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.005, 0, 0, 0, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, row effects 1 %, 1 run a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.01, 0, 0, 0, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, row effects 0.5 %, 5 runs a side",
	  200,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.005, 0, 0, 0, 0.002, 0), 50, 10, 5, 0, false, 0) },
	{ "A/A, row effects 1 %, 5 runs a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.01, 0, 0, 0, 0.002, 0), 50, 10, 5, 0, false, 0) },
	{ "A/A, run effects 1 %, 1 run a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0.01, 0, 0, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, run effects 1 %, 5 runs a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0.01, 0, 0, 0.002, 0), 50, 10, 5, 0, false, 0) },
	{ "A/A, row effects 1 %, 3 runs a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.01, 0, 0, 0, 0.002, 0), 50, 10, 3, 0, false, 0) },
	{ "A/A, row effects 1 %, 2 runs a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.01, 0, 0, 0, 0.002, 0), 50, 10, 2, 0, false, 0) },
	{ "A/A, row effects 1 %, 5 runs a side, 4 rows",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0.01, 0, 0, 0, 0.002, 0), 4, 10, 5, 0, false, 0) },
	{ "A/A, uneven row effects 0.5 % and 4 %, 5 runs a side",
	  200,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(UNEVEN(0.01, 0, 0, 0, 0.002, 0), 50, 10, 5, 0, false, 0) },
	{ "A/A, uneven row effects 0.5 % and 4 %, 3 runs a side",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(UNEVEN(0.01, 0, 0, 0, 0.002, 0), 50, 10, 3, 0, false, 0) },
	{ "+2 %, row effects 0.2 %, 3 runs a side",
	  200,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(NOISE(0.002, 0, 0, 0, 0.002, 0), 50, 10, 3, SHIFT, false, 0) },
	{ "+2 %, row effects 0.5 %, 5 runs a side",
	  200,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(NOISE(0.005, 0, 0, 0, 0.002, 0), 50, 10, 5, SHIFT, false, 0) },
	{ "+5 %, row effects 1 %, 5 runs a side",
	  200,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0.01, 0, 0, 0, 0.002, 0), 50, 10, 5, 0.04879, false, 0) },
	{ "+5 %, row effects 0.5 %, 5 runs a side",
	  200,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0.005, 0, 0, 0, 0.002, 0), 50, 10, 5, 0.04879, false, 0) },
	{ "A/A, shared noise 0.5 %",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.005, 0, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, shared noise 0.5 %, 30 boots",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.005, 0, 0.002, 0), 50, 30, 1, 0, false, 0) },
	{ "+2 %, shared noise 0.5 %, 30 boots",
	  200,
	  true,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0.005, 0, 0.002, 0), 50, 30, 1, SHIFT, false, 0) },
	{ "A/A, drift AR(0.9) 0.5 %",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.005, 0.9, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, drift AR(0.9) 1 %",
	  200,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.01, 0.9, 0.002, 0), 50, 10, 1, 0, false, 0) },
	{ "A/A, drift AR(0.9) 1 %, 30 boots",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.01, 0.9, 0.002, 0), 50, 30, 1, 0, false, 0) },
	{ "A/A, own noise AR(0.7) 0.5 %",
	  200,
	  true,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0.7), 50, 10, 1, 0, false, 0) },
	{ "A/A, own noise AR(0.7) 1 %",
	  200,
	  false,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.7), 50, 10, 1, 0, false, 0) },
	{ "A/A, own noise AR(0.9) 0.5 %",
	  200,
	  false,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0.9), 50, 10, 1, 0, false, 0) },
	{ "A/A, own noise AR(0.9) 1 %",
	  1000,
	  false,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.9), 50, 10, 1, 0, false, 0) },
	{ "A/A, own noise AR(0.9) 1 %, 30 boots",
	  200,
	  false,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.9), 50, 30, 1, 0, false, 0) },
	{ "+2 %, own noise AR(0.7) 0.2 %, 30 boots",
	  200,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.002, 0.7), 50, 30, 1, SHIFT, false, 0) },
	{ "+5 %, own noise 1 %, 20 boots",
	  200,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0), 50, 20, 1, 0.04879, false, 0) },
	{ "+2 %, own noise 0.2 %",
	  200,
	  true,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.002, 0), 50, 10, 1, SHIFT, false, 0) },
	{ "+2 %, own noise 0.5 %, 1 row",
	  1000,
	  false,
	  { SIM_FREE, 0, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 1, 10, 1, SHIFT, false, 0) },
	{ "+2 %, own noise 0.5 %, 1 row, pairs, 20 boots",
	  1000,
	  true,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 1, 20, 1, SHIFT, true, 0) },
	/* run --against of one row: the pairs see none of the drift. */
	{ "+2 %, own noise 0.5 %, drift AR(0.9) 1 %, 1 row, 10 pairs",
	  1000,
	  true,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0.01, 0.9, 0.005, 0), 1, 10, 1, SHIFT, true, 0) },
	{ "+2 %, own noise 0.5 %, drift AR(0.9) 1 %, 1 row, 30 pairs",
	  1000,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0.01, 0.9, 0.005, 0), 1, 30, 1, SHIFT, true, 0) },
	{ "A/A, own noise 0.5 %, drift AR(0.9) 1 %, 1 row, 10 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.01, 0.9, 0.005, 0), 1, 10, 1, 0, true, 0) },
	{ "A/A, own noise 0.5 %, drift AR(0.9) 1 %, 1 row, 30 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0.01, 0.9, 0.005, 0), 1, 30, 1, 0, true, 0) },
	{ "A/A, own noise 0.5 %, 1 row, pairs, 20 boots",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 1, 20, 1, 0, true, 0) },
	/* Pairs whose ratios depend on the pair before. */
	{ "A/A, own noise AR(0.5) 0.5 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0.5), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.5) 1 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.5), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.5) 2 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.02, 0.5), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.7) 0.5 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0.7), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.7) 1 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.7), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.7) 2 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.02, 0.7), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.9) 0.5 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0.9), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.9) 1 %, 12 rows, 20 pairs",
	  1000,
	  true,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.9), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.9) 2 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.02, 0.9), 12, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.7) 1 %, 1 row, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.7), 1, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.9) 1 %, 1 row, 20 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.02, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.9), 1, 20, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.9) 1 %, 1 row, 10 pairs",
	  1000,
	  false,
	  { SIM_WRONG, 0.15, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.9), 1, 10, 1, 0, true, 0) },
	{ "A/A, own noise AR(0.9) 1 %, 50 rows, 30 pairs",
	  200,
	  false,
	  { SIM_WRONG, 0.01, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.01, 0.9), 50, 30, 1, 0, true, 0) },
	{ "+2 %, own noise 0.5 %, 12 rows, 20 pairs",
	  1000,
	  false,
	  { SIM_FOUND, 0.9, false },
	  DETAIL(NOISE(0, 0, 0, 0, 0.005, 0), 12, 20, 1, SHIFT, true, 0) },
	{ "+2 %, row effects 0.2 %, power by 5 runs",
	  200,
	  true,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.002, 0, 0, 0, 0.002, 0), 20, 10, 5, SHIFT, false, 0) },
	{ "+2 %, row effects 0.5 %, power by 5 runs, 50 rows",
	  100,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.005, 0, 0, 0, 0.002, 0), 50, 10, 5, SHIFT, false, 0) },
	{ "+2 %, row effects 0.5 %, power by 20 runs",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.005, 0, 0, 0, 0.002, 0), 20, 10, 20, SHIFT, false, 0) },
	{ "+2 %, boots 1 %, 6 of them, power by 5 runs",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0, 0, 0.01, 0), 20, 6, 5, SHIFT, false, 0) },
	{ "+2 %, row 0.3 %, run 0.3 %, boots 0.5 %, power by 5 runs",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.003, 0.003, 0, 0, 0.005, 0), 20, 10, 5, SHIFT, false, 0) },
	{ "+5 %, row effects 1 %, power by 3 runs",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.01, 0, 0, 0, 0.002, 0), 20, 10, 3, 0.04879, false, 0) },
	{ "+5 %, run effects 1 %, row 0.5 %, power by 5 runs",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.005, 0.01, 0, 0, 0.002, 0), 20, 10, 5, 0.04879, false, 0) },
	{ "+5 %, row effects 1 %, 4 rows, power by 10 runs",
	  400,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.01, 0, 0, 0, 0.002, 0), 4, 10, 10, 0.04879, false, 0) },
	{ "+5 %, row effects 1 %, 1 row, power by 10 runs",
	  400,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.01, 0, 0, 0, 0.002, 0), 1, 10, 10, 0.04879, false, 0) },
	{ "+5 %, row effects 1 %, 4 rows, power by 3 runs",
	  400,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0.01, 0, 0, 0, 0.002, 0), 4, 10, 3, 0.04879, false, 0) },
	{ "+2 %, boots 0.2 %, power by 10 boots",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0, 0, 0.002, 0), 20, 10, 1, SHIFT, false, 0) },
	{ "+2 %, boots 0.5 %, power by 10 boots",
	  200,
	  true,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0, 0, 0.005, 0), 20, 10, 1, SHIFT, false, 0) },
	{ "+2 %, boots 0.5 %, shared 0.3 %, power by 10 boots",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0.003, 0, 0.005, 0), 20, 10, 1, SHIFT, false, 0) },
	{ "+5 %, boots 2 %, power by 20 boots, 50 rows",
	  100,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0, 0, 0.02, 0), 50, 20, 1, 0.04879, false, 0) },
	{ "+5 %, boots AR(0.7) 0.5 %, power by 20 boots",
	  200,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0, 0, 0.005, 0.7), 20, 20, 1, 0.04879, false, 0) },
	{ "+5 %, boots 0.5 %, 1 row, power by 20 boots",
	  400,
	  false,
	  { SIM_FOUND, 0.885, false },
	  PLAN(NOISE(0, 0, 0, 0, 0.005, 0), 1, 20, 1, 0.04879, false, 0) },
	/* "noise hides changes below", and compare --aa */
	{ "what noise hides, boots 2 %, 12 rows, 30 pairs",
	  1000,
	  true,
	  { SIM_FOUND, 0.885, false },
	  HIDE(NOISE(0, 0, 0, 0, 0.02, 0), 12, 30, 1, 0, true, 0) },
	{ "what noise hides, boots 2 %, 50 rows, 30 pairs",
	  400,
	  false,
	  { SIM_FOUND, 0.885, false },
	  HIDE(NOISE(0, 0, 0, 0, 0.02, 0), 50, 30, 1, 0, true, 0) },
	{ "what noise hides, boots 2 %, 1 row, 30 pairs",
	  1000,
	  false,
	  { SIM_FOUND, 0.885, false },
	  HIDE(NOISE(0, 0, 0, 0, 0.02, 0), 1, 30, 1, 0, true, 0) },
	{ "what noise hides, boots 2 %, 12 rows, 30 boots",
	  400,
	  false,
	  { SIM_FOUND, 0.885, false },
	  HIDE(NOISE(0, 0, 0, 0, 0.02, 0), 12, 30, 1, 0, false, 0) },
	{ "what noise hides, row effects 1 %, 12 rows, 5 runs",
	  1000,
	  false,
	  { SIM_FOUND, 0.85, false },
	  HIDE(NOISE(0.01, 0, 0, 0, 0.002, 0), 12, 10, 5, 0, false, 0) },
	{ "what noise hides, row effects 1 %, 50 rows, 5 runs",
	  200,
	  false,
	  { SIM_FOUND, 0.85, false },
	  HIDE(NOISE(0.01, 0, 0, 0, 0.002, 0), 50, 10, 5, 0, false, 0) },
};

const struct sim_kind sim_compare = {
	.title = "compare",
	.units = "tries",
	.scenarios = scenarios,
	.n = sizeof(scenarios) / sizeof(*scenarios),
	.simulate = simulate,
};
