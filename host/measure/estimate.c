/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the boots of a metric to its estimate, and whether its events are steady. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>

#include "host/measure/figures.h"
#include "host/stats/two_sample.h"
#include "host/stats/summary.h"

#define BAND_SHARE  0.01
#define BAND_QUANTA 2

/* The p value below which two halves of the events differ. */
#define SIGNIFICANT 0.01
/* An autocorrelation r from which r squared is a quarter or more. */
#define DEPENDENT   0.5

#define LEVEL	  0.95
#define RESAMPLES 2000

/* Differences below this do not matter: 1 % of a figure, or two steps of the clock. */
static double band(double figure, double quantum)
{
	return fmax(BAND_SHARE * fabs(figure), BAND_QUANTA * quantum);
}

static double *doubles(const int64_t *events, size_t n)
{
	double *values = reallocarray(NULL, n ? n : 1, sizeof(*values));

	for (size_t i = 0; values && i < n; i++)
		values[i] = (double)events[i];
	return values;
}

static int find_modes(struct result *r, struct result_boot *boot, double *values,
		      size_t n, double quantum)
{
	struct stats_modes modes;
	int err;

	gsl_sort(values, 1, n);
	err = stats_modes(values, n, band(boot->summary.p50, quantum), &modes);
	for (size_t i = 0; !err && i < modes.n; i++) {
		struct result_mode *mode = result_add_mode(r, boot);

		mode->value = modes.mode[i].value;
		mode->share = modes.mode[i].share;
	}
	return err;
}

int estimate_steady(const struct estimate *e, struct result_boot *boot,
		    const int64_t *events, size_t n)
{
	double *values = doubles(events, n);
	struct stats_halves halves;
	int err;

	if (!values)
		return -ENOMEM;
	boot->steady.autocorrelation = stats_autocorrelation(values, n);
	err = stats_halves(values, n, &halves);
	boot->steady.first_half = halves.first;
	boot->steady.second_half = halves.second;
	boot->steady.p = halves.p;
	if (!err)
		err = find_modes(e->result, boot, values, n, e->quantum);
	free(values);
	return err;
}

int estimate_kinds(const struct estimate *e, struct result_boot *boot,
		   const int64_t *events, size_t n)
{
	double *values = doubles(events, n);
	int err = values ? find_modes(e->result, boot, values, n, e->quantum) : -ENOMEM;

	free(values);
	return err;
}

/* How many of the valid boots have each; `first`: with modes, the first one. */
struct findings {
	size_t valid, rising, falling, dependent, modes;
	const struct result_boot *first;
	double apart; /* most of any boot's halves */
};

static bool unsettled(const struct result_boot *boot, double quantum)
{
	const struct result_steady *s = &boot->steady;

	return s->p <= SIGNIFICANT &&
	       fabs(s->second_half - s->first_half) > band(boot->summary.p50, quantum);
}

static void note_halves(struct findings *f, const struct result_steady *s)
{
	double apart = s->second_half - s->first_half;

	f->rising += apart > 0;
	f->falling += apart < 0;
	f->apart = fmax(f->apart, fabs(apart));
}

/*
 * In half of the boots, and in one direction in nearly all of them: both directions are
 * noise, not a boot that needs time to settle.
 */
static bool unsteady(const struct findings *f)
{
	size_t most = f->rising > f->falling ? f->rising : f->falling;

	return most && 2 * most >= f->valid &&
	       4 * (f->rising + f->falling - most) <= most;
}

static void find(const struct result_metric *m, double quantum, struct findings *f)
{
	*f = (struct findings){ 0 };
	for (size_t i = 0; i < m->n_boots; i++) {
		const struct result_boot *boot = &m->boots[i];
		const struct result_steady *s = &boot->steady;

		if (!boot->valid)
			continue;
		f->valid++;
		f->dependent += s->autocorrelation >= DEPENDENT;
		if (unsettled(boot, quantum))
			note_halves(f, s);
		if (s->n_modes > 1) {
			f->modes++;
			f->first = f->first ? f->first : boot;
		}
	}
}

static void warn_modes(struct result *r, const struct result_benchmark *b,
		       const struct result_metric *m, const struct findings *f)
{
	const struct result_steady *s = &f->first->steady;
	char text[160];
	size_t used = 0;

	for (size_t i = 0; i < s->n_modes && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%.0f (%.0f %%)", i ? ", " : "",
					 s->modes[i].value, 100 * s->modes[i].share);
	result_warn(
		r, "multimodal",
		"%s, %s: events of several kinds in %zu of %zu boots; in boot %u: %s %s",
		b->name, b->config, f->modes, f->valid, f->first->index, text, m->unit);
}

/* Warns of what half of the valid boots or more have. */
static void warn_unsteady(struct result *r, const struct result_benchmark *b,
			  const struct result_metric *m, double quantum)
{
	struct findings f;

	find(m, quantum, &f);
	/* One or two boots, such as those of a run that was interrupted, say little. */
	if (!r->target.exact && f.valid < 3)
		return;
	if (unsteady(&f))
		result_warn(
			r, "unsteady",
			"%s, %s: in %zu of %zu boots the second half of the events is %s than the first, by up to %.1f %s",
			b->name, b->config, f.rising + f.falling, f.valid,
			f.rising > f.falling ? "longer" : "shorter", f.apart, m->unit);
	if (f.dependent && 2 * f.dependent >= f.valid)
		result_warn(
			r, "autocorrelated",
			"%s, %s: in %zu of %zu boots successive events are correlated (lag-1 autocorrelation of %.1f or more)",
			b->name, b->config, f.dependent, f.valid, DEPENDENT);
	if (f.modes && 2 * f.modes >= f.valid)
		warn_modes(r, b, m, &f);
}

int estimate_keep(struct estimate *e, const int64_t *events, size_t n)
{
	struct stats_events *boots;
	double *sorted;

	boots = reallocarray(e->boots, e->n_boots + 1, sizeof(*boots));
	if (!boots)
		return -ENOMEM;
	e->boots = boots;
	sorted = doubles(events, n);
	if (!sorted)
		return -ENOMEM;
	gsl_sort(sorted, 1, n);
	boots[e->n_boots++] = stats_events_middle(sorted, n);
	free(sorted);
	return boots[e->n_boots - 1].kept ? 0 : -ENOMEM;
}

void estimate_forget(struct estimate *e)
{
	for (size_t i = 0; i < e->n_boots; i++)
		free(e->boots[i].middle);
	free(e->boots);
	e->boots = NULL;
	e->n_boots = 0;
}

/* "ops/s", "ops/Mtick", or "%" of such a rate or of the events. */
static bool is_rate(const char *unit)
{
	return strchr(unit, '/') || !strcmp(unit, "%");
}

void estimate_metric(const struct estimate *e, const struct result_benchmark *b,
		     struct result_metric *m)
{
	double *medians = calloc(m->n_boots ? m->n_boots : 1, sizeof(*medians));
	struct stats_bootstrap bootstrap;
	struct stats_interval ci;
	double first;
	size_t n = 0, i;

	if (!medians)
		return;
	for (i = 0; i < m->n_boots; i++)
		if (m->boots[i].valid)
			medians[n++] = m->boots[i].summary.p50;
	first = n ? medians[0] : NAN;
	if (n) {
		m->value = stats_median(medians, n); /* sorts them */
		m->reason = NULL;
	} else if (m->n_boots) {
		m->reason = m->boots[0].reject_reason;
	}
	if (n && e->exact) {
		/*
		 * The first boot is the figure. Later boots show whether the figure
		 * depends on the VM's place in memory (job.placement).
		 */
		m->value = first;
		m->stat = "first-boot";
		/* A boot without a figure has no interval either. */
		if (isfinite(medians[0]) && isfinite(medians[n - 1]))
			/* Of vCPUs that differ within a boot, m->ci has the range. */
			m->ci = (struct result_ci){ 1, fmin(medians[0], m->ci.lo),
						    fmax(medians[n - 1], m->ci.hi),
						    "exact" };
		/* Rates depend on where the phases of vCPUs end. */
		if (medians[0] < medians[n - 1] && e->repeats && !is_rate(m->unit))
			result_warn(
				e->result, "boots-differ",
				"%s, %s: %s: boots of an exact target differ, %.10g to %.10g %s",
				b->name, b->config, m->name, medians[0], medians[n - 1],
				m->unit);
	} else if (n && !stats_median_interval(medians, n, LEVEL, &ci) &&
		   isfinite(ci.lo) && isfinite(ci.hi)) {
		m->ci = (struct result_ci){ LEVEL, ci.lo, ci.hi, "order-statistic" };
	}
	if (!strcmp(m->name, "round_trip")) {
		/* Too few boots: no second interval. */
		if (!stats_bootstrap_boots(e->boots, e->n_boots, LEVEL, RESAMPLES,
					   e->seed, &bootstrap))
			m->bootstrap =
				(struct result_ci){ LEVEL, bootstrap.lo, bootstrap.hi,
						    "hierarchical-bca" };
		warn_unsteady(e->result, b, m, e->quantum);
	}
	free(medians);
}

/* INFINITY without an interval. */
static double half_width(const struct result_metric *m)
{
	return m->ci.method ? (m->ci.hi - m->ci.lo) / 2 : INFINITY;
}

void estimate_modes(const struct estimate *e, const struct result_benchmark *b)
{
	const struct result_metric *event = result_find_metric(b, "round_trip");
	const struct result_metric *batch = result_find_metric(b, RESULT_BATCH);
	double apart, noise;

	if (!event || !batch)
		return;
	apart = fabs(event->value - batch->value);
	noise = half_width(event) + half_width(batch);
	if (apart > 0.02 * fabs(batch->value) && apart > 2 * e->quantum && apart > noise)
		result_warn(e->result, "modes-disagree",
			    "%s: %.1f %s per event, %.1f in a batch", b->name,
			    event->value, event->unit, batch->value);
}

/* A clock whose step is a larger share of a figure is coarse for it. */
#define COARSE 0.005

/*
 * Of the better resolved of the two timing modes. The rows of group "clock" are the clock
 * itself, and their figures are as small as its step.
 */
static bool is_coarse_for(const struct result *r, const struct result_benchmark *b)
{
	const struct result_metric *event = result_find_metric(b, "round_trip");
	const struct result_metric *batch = result_find_metric(b, RESULT_BATCH);
	double figure;

	if (b->status != RESULT_OK || !strcmp(b->group, "clock") || !event ||
	    strcmp(event->unit, r->clock.unit) != 0 || isnan(event->value))
		return false;
	figure = batch && isfinite(batch->value) ? batch->value : event->value;
	return result_step(r, b, event) > COARSE * fabs(figure);
}

void estimate_clock(struct result *r)
{
	size_t coarse = 0, with_batch = 0;
	const char *hint = "";
	char step[48];

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];
		const struct result_metric *batch = result_find_metric(b, RESULT_BATCH);

		if (!is_coarse_for(r, b))
			continue;
		coarse++;
		with_batch += batch && isfinite(batch->value);
	}
	if (!coarse)
		return;
	if (r->clock.hz)
		snprintf(step, sizeof(step), "%.3g ns",
			 fmax(1, (double)r->clock.resolution) * 1e9 /
				 (double)r->clock.hz);
	else
		snprintf(step, sizeof(step), "%.4g %s",
			 fmax(1, (double)r->clock.resolution), r->clock.unit);
	if (with_batch == coarse)
		hint = ": their " RESULT_BATCH
		       " resolves it (compare --metric " RESULT_BATCH ")";
	else if (with_batch)
		hint = result_format(
			r,
			": the " RESULT_BATCH
			" of %zu of them resolves it (compare --metric " RESULT_BATCH ")",
			with_batch);
	result_warn(
		r, "coarse-clock",
		"the clock advances in steps of %s, more than %.1f %% of the round trip of %zu benchmark%s%s",
		step, 100 * COARSE, coarse, coarse == 1 ? "" : "s", hint);
}
