/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with the events of boots, if anything, and how sure an estimate is. */
#include "host/measure/diagnose.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_sort_double.h>

#include "host/stats/steady.h"

#define BAND_SHARE  0.01
#define BAND_QUANTA 2

/* A difference between halves is believed from here on. */
#define SIGNIFICANT 0.01
/* One event tells a quarter or more of what the next one does: r squared. */
#define DEPENDENT   0.5

#define LEVEL	  0.95
#define RESAMPLES 2000

double diagnose_band(double figure, double quantum)
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
	err = stats_modes(values, n, diagnose_band(boot->summary.p50, quantum), &modes);
	for (size_t i = 0; !err && i < modes.n; i++) {
		struct result_mode *mode = result_add_mode(r, boot);

		mode->value = modes.mode[i].value;
		mode->share = modes.mode[i].share;
	}
	return err;
}

int diagnose_boot(struct result *r, struct result_boot *boot, const int64_t *events,
		  size_t n, double quantum)
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
		err = find_modes(r, boot, values, n, quantum);
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

	return s->p <= SIGNIFICANT && fabs(s->second_half - s->first_half) >
					      diagnose_band(boot->summary.p50, quantum);
}

static void note_halves(struct findings *f, const struct result_steady *s)
{
	double apart = s->second_half - s->first_half;

	f->rising += apart > 0;
	f->falling += apart < 0;
	f->apart = fmax(f->apart, fabs(apart));
}

/*
 * In half the boots, and that way in nearly all of them. Both ways is not a boot that
 * takes its time to settle, it is noise.
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
	result_warn(r, "multimodal",
		    "%s, %s: events of several kinds in %zu of %zu boots; in boot %u: "
		    "%s %s",
		    b->name, b->config, f->modes, f->valid, f->first->index, text,
		    m->unit);
}

void diagnose_metric(struct result *r, const struct result_benchmark *b,
		     const struct result_metric *m, double quantum)
{
	struct findings f;

	find(m, quantum, &f);
	if (unsteady(&f))
		result_warn(
			r, "unsteady",
			"%s, %s: in %zu of %zu boots the second half of the events is "
			"%s than the first, by up to %.1f %s",
			b->name, b->config, f.rising + f.falling, f.valid,
			f.rising > f.falling ? "dearer" : "cheaper", f.apart, m->unit);
	if (f.dependent && 2 * f.dependent >= f.valid)
		result_warn(r, "autocorrelated",
			    "%s, %s: in %zu of %zu boots each event tells of the next "
			    "(lag-1 autocorrelation of %.1f or more)",
			    b->name, b->config, f.dependent, f.valid, DEPENDENT);
	if (f.modes && 2 * f.modes >= f.valid)
		warn_modes(r, b, m, &f);
}

int diagnose_keep(struct diagnose_events *kept, const int64_t *events, size_t n)
{
	struct stats_events *boots;
	double *sorted;

	boots = reallocarray(kept->boots, kept->n + 1, sizeof(*boots));
	if (!boots)
		return -ENOMEM;
	kept->boots = boots;
	sorted = doubles(events, n);
	if (!sorted)
		return -ENOMEM;
	gsl_sort(sorted, 1, n);
	boots[kept->n++] = stats_events_middle(sorted, n);
	free(sorted);
	return boots[kept->n - 1].kept ? 0 : -ENOMEM;
}

void diagnose_bootstrap(const struct diagnose_events *kept, uint64_t seed,
			struct result_metric *m)
{
	struct stats_bootstrap b;

	/* Too few boots: then there is no second opinion. */
	if (stats_bootstrap_boots(kept->boots, kept->n, LEVEL, RESAMPLES, seed, &b))
		return;
	m->bootstrap = (struct result_ci){ LEVEL, b.lo, b.hi, "hierarchical-bca" };
}

void diagnose_forget(struct diagnose_events *kept)
{
	for (size_t i = 0; i < kept->n; i++)
		free(kept->boots[i].middle);
	free(kept->boots);
	*kept = (struct diagnose_events){ 0 };
}
