/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench history check --confirm`: measures again what got worse.
 *
 * The same boot would confirm the noise of the first figure, and on an exact target even
 * the same run would, as all its figures repeat. So the benchmarks are measured alone, in
 * more and new boots, on both kernels if they are available, with the current program.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/cli/compare.h"
#include "host/cli/options.h"
#include "host/cli/run.h"
#include "host/env/env.h"
#include "host/targets/target.h"
#include "host/lib/text.h"

/* Alarms of one new run and one old one. */
struct group {
	const struct history_args *args;
	const struct history *h;
	struct history_alarm *alarms;
	size_t n;
	const struct history_run *new, *old;
	const struct history_place *place;
};

/* The group's benchmarks or configs, each once. */
static void add_names(const struct group *g, bool configs, struct names_list *list)
{
	list->names = calloc(g->n, sizeof(*list->names));
	list->n = 0;
	if (!list->names)
		abort();
	for (size_t i = 0; i < g->n; i++) {
		const struct history_series *s = g->alarms[i].series;
		const char *name = configs ? s->config : s->benchmark;
		bool known = false;

		for (size_t j = 0; j < list->n && !known; j++)
			known = !strcmp(list->names[j], name);
		if (!known)
			list->names[list->n++] = name;
	}
}

/* Whether this program has all benchmarks and configs of the run. */
static bool is_known(const struct run *run)
{
	for (size_t i = 0; i < run->benches.n; i++)
		if (!result_find_bench(run->benches.names[i]))
			return false;
	for (size_t i = 0; i < run->configs.n; i++)
		if (!result_find_config(run->configs.names[i]))
			return false;
	return true;
}

static bool is_lab(const struct group *g)
{
	return strncmp(g->place->target, "lab:", 4) == 0;
}

static bool same_kernel(const struct result *doc, const struct history_run *run)
{
	const char *here = doc->subject.kernel ? doc->subject.kernel : "";

	return !strcmp(here, run->kernel ? run->kernel : "");
}

/* Why the run's kernel cannot be measured here, or NULL. */
static const char *obstacle(const struct group *g, const struct history_run *run)
{
	const struct target *t = names_target(g->place->target);
	struct utsname uts;
	const char *why = NULL;
	struct result *here;

	if (!t)
		return "no such target";
	if (g->place->exact)
		return is_lab(g) && !run->kernel ? "its kernel is unknown" : NULL;
	if (!run->kernel)
		return "its kernel is unknown";
	if (uname(&uts) || strcmp(uts.release, run->kernel) != 0)
		return "its kernel does not run here";
	here = result_new();
	env_machine(here);
	if (strcmp(here->machine.fingerprint, g->place->what) != 0)
		why = "it was measured on another machine";
	result_free(here);
	return why;
}

/* The group's benchmarks on the kernel of `of`; NULL and `why`. */
static struct result *measure(const struct group *g, const struct history_run *of,
			      const char **why)
{
	const struct target *target = names_target(g->place->target);
	const char *given = of == g->new ? g->args->kernel : NULL;
	struct result *doc = NULL;
	struct error err;
	struct run run;

	*why = obstacle(g, of);
	if (*why)
		return NULL;
	run_init(&run);
	run.common.quiet = true;
	add_names(g, false, &run.benches);
	add_names(g, true, &run.configs);
	run.job.boots = (uint32_t)g->args->boots;
	if (is_lab(g)) {
		run.job.emulator = g->args->emulator;
		run.job.kernel = given ? given : of->kernel;
		run.job.kernel_is_name = !given;
		run.job.modules = given ? g->args->modules : NULL;
		run.job.fetch = given ? JOB_FETCH_QUIETLY : JOB_FETCH_NEVER;
	}
	/* The probe comes first: a missing kernel is not an error here. */
	if (!is_known(&run) || names_match_targets(target->name, &run.targets, &err) ||
	    run_complete(&run) != CLI_OK) {
		*why = "this program does not know the benchmark";
	} else if (target->ops->probe(target, &run.job, &err)) {
		*why = is_lab(g) ? "its kernel is not here, or the lab cannot run"
				 : "the target cannot run here";
		message_info(g->args->common.quiet, "%s: %s", target->name, err.text);
	} else {
		run_target(&run, target, &doc);
		if (!doc)
			*why = "it could not be measured";
	}
	run_free(&run);
	if (doc && !same_kernel(doc, of)) {
		*why = "another kernel was given";
	} else if (doc && !history_on_emulator(g->place, doc->target.emulator)) {
		*why = "measured on another emulator (--emulator)";
	}
	if (doc && *why) {
		result_free(doc);
		doc = NULL;
	}
	return doc;
}

static const struct result_metric *metric_of(const struct result *doc,
					     const struct history_series *s)
{
	const struct result_benchmark *b =
		doc ? result_find(doc, s->benchmark, s->config) : NULL;
	const struct result_metric *m =
		b && b->status == RESULT_OK ? result_find_metric(b, s->metric) : NULL;

	return m && isfinite(m->value) && !strcmp(m->unit, s->unit) ? m : NULL;
}

/* Exact figures: their ranges over the boots do not overlap. */
static bool worse_exactly(const struct history_alarm *a, const struct result_metric *old,
			  const struct result_metric *new)
{
	double before = a->series->changes[a->k].before;
	double lo = old ? old->ci.lo : before, hi = old ? old->ci.hi : before;

	return a->series->lower_is_better ? new->ci.lo > hi : new->ci.hi < lo;
}

/* The step of a new figure, by the clock of its run. */
static double fresh_step(const struct result *doc, const struct history_alarm *a,
			 const struct result_metric *m)
{
	const struct history_series *s = a->series;

	return result_step(doc, result_find(doc, s->benchmark, s->config), m);
}

static void decide(const struct group *g, struct history_alarm *a,
		   const struct result *old_doc, const struct result *new_doc)
{
	const struct result_metric *new = metric_of(new_doc, a->series);
	const struct result_metric *old = metric_of(old_doc, a->series);
	char before[NUMBER_BYTES], after[NUMBER_BYTES];
	const char *hidden = "";

	if (!new) {
		a->confirmed = HISTORY_UNDECIDED;
		snprintf(a->reason, sizeof(a->reason), "no figure in fresh boots");
		return;
	}
	if (g->place->exact && new->ci.method) {
		a->confirmed =
			worse_exactly(a, old, new) ? HISTORY_CONFIRMED : HISTORY_REFUTED;
	} else {
		a->confirmed = history_confirm_noise(
			a, new->value, fresh_step(new_doc, a, new), &g->args->rules);
		if (a->confirmed == HISTORY_UNDECIDED)
			hidden = ", within two steps of the clock";
	}
	number_format(after, new->value, false);
	number_format(before, old ? old->value : NAN, false);
	if (old)
		snprintf(a->reason, sizeof(a->reason), "%s, then %s in fresh boots%s",
			 before, after, hidden);
	else
		snprintf(a->reason, sizeof(a->reason), "%s in %u fresh boots%s", after,
			 (unsigned int)new->n_boots, hidden);
}

static void confirm_group(struct group *g)
{
	const char *why = NULL, *no_old = NULL;
	struct result *new = measure(g, g->new, &why);
	/* Only a lab can boot a kernel other than the running one. */
	struct result *old = new &&is_lab(g) ? measure(g, g->old, &no_old) : NULL;

	for (size_t i = 0; i < g->n; i++) {
		struct history_alarm *a = &g->alarms[i];

		if (new) {
			decide(g, a, old, new);
			continue;
		}
		a->confirmed = HISTORY_UNDECIDED;
		snprintf(a->reason, sizeof(a->reason), "%s", why);
	}
	if (new)
		result_free(new);
	if (old)
		result_free(old);
}

static bool eligible(const struct history_alarm *a)
{
	return a->kind == HISTORY_WORSE && a->recent && !a->let_pass;
}

void history_confirm(const struct history_args *args, const struct history *h,
		     struct history_alarm *alarms, size_t n)
{
	target_catch_signals();
	for (size_t i = 0, end; i < n && !interrupted; i = end) {
		struct group g = { .args = args, .h = h, .alarms = &alarms[i] };

		end = i + 1;
		if (!eligible(&alarms[i]))
			continue;
		g.new = history_new_run(h, alarms[i].series, alarms[i].k);
		g.old = history_old_run(h, alarms[i].series, alarms[i].k);
		g.place = &h->places[alarms[i].series->place];
		while (end < n && eligible(&alarms[end]) &&
		       history_new_run(h, alarms[end].series, alarms[end].k) ==
			       g.new &&history_old_run(h, alarms[end].series,
						       alarms[end].k) == g.old)
			end++;
		g.n = end - i;
		message_info(args->common.quiet, "%s: measuring %zu benchmarks again",
			     g.place->target, g.n);
		confirm_group(&g);
	}
	interrupt_pass_on();
}
