/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run` on one target: probe, open, measure, close. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "host/cli/cli.h"
#include "host/cli/options.h"
#include "host/cli/run.h"
#include "host/compare/compare.h"
#include "host/env/env.h"
#include "host/explain/touch.h"
#include "host/lib/error.h"
#include "host/lib/process.h"

/* RFC 3339 in UTC, to the second. */
#define TIME_BYTES sizeof("2026-01-01T00:00:00Z")
static void now_text(char text[TIME_BYTES])
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void begin(struct result *r, const struct run *run, const struct job *job,
		  const char *started)
{
	uint32_t tail = 0;
	int i;

	/* Two runs of one second get different ids; zeros are acceptable. */
	(void)!getrandom(&tail, sizeof(tail), GRND_NONBLOCK);
	r->run.id = result_format(r, "%s-%08x", started, tail);
	r->run.started = result_string(r, started);
	r->run.finished = r->run.started;
	r->run.seed = job->seed;
	for (i = 0; i < run->argc; i++)
		result_add_argv(r, run->argv[i]);
	r->run.tool_version = version_text();
	r->run.tool_commit = version_commit();
	r->run.tool_dirty = version_dirty();
}

struct drawing {
	struct progress progress;
	struct progress_work *work;
	const struct run *run;
	uint64_t begin_ns; /* of --budget */
	size_t next_look;  /* rounds */
	char name[64];	   /* "[3/8] lab:aarch64-vhe" */
};

static void show(void *ctx, const struct measure_place *place)
{
	struct drawing *d = ctx;
	char left[PROGRESS_LEFT_BYTES];
	uint64_t now = progress_now_ns();

	if (d->run->beside) {
		progress_beside_boots(d->run->beside, d->run->part, place->done,
				      place->total);
		return;
	}
	if (!d->work->boots_ns)
		d->work->boots_ns = now;
	progress_left(left, d->work, place->done, place->total, now);
	progress_show(&d->progress, "%s%s: %s, %s, boot %u of %u", d->name, left,
		      place->bench, place->config, place->boot, place->boots);
}

/* The records of a row are complete. */
static int row_traced(void *ctx, const struct result *r, const struct result_benchmark *b)
{
	const struct run_trace *trace = ((struct drawing *)ctx)->run->trace;

	trace->row(trace->trace.ctx, r, b);
	return 0;
}

/* --decide without --budget. */
#define BUDGET_NS 600000000000u

/* The next look at the boots, which costs some milliseconds, is after a quarter more. */
static bool wants_more(void *ctx, const struct result *r)
{
	struct drawing *d = ctx;
	const struct run *run = d->run;
	uint64_t budget = run->budget_ns ? run->budget_ns : BUDGET_NS;
	struct compare_enough enough;
	size_t rounds = r->n_benchmarks && r->benchmarks[0].n_metrics
				? r->benchmarks[0].metrics[0].n_boots
				: 0;

	if (progress_now_ns() - d->begin_ns >= budget)
		return false;
	if (run->decide > 0 && rounds >= d->next_look) {
		d->next_look = rounds + rounds / 4 + 1;
		return !compare_is_enough(r, run->decide, &enough);
	}
	return true;
}

/* Whether the boots are enough, or what to do. */
static void say_decided(const struct run *run, const struct result *r)
{
	struct compare_enough enough;

	if (!r || r->target.exact || !(run->decide > 0))
		return;
	if (compare_is_enough(r, run->decide, &enough) && enough.rows)
		message_info(
			run->common.quiet,
			"%s: %zu boots of each row are enough for changes of %g %% (%s)",
			r->target.name, enough.boots, 100 * run->decide,
			enough.pairs ? "of configs in pairs" : "between two such runs");
	else
		message_warn(
			"%s: after %zu boots, changes of %g %% are decided in %zu of %zu rows only (most boots are needed by %s): give more --budget, or see 'wsbench env check'%s",
			r->target.name, enough.boots, 100 * run->decide, enough.decided,
			enough.rows, enough.worst ? enough.worst : "-",
			enough.pairs
				? ""
				: "; two configs of one run (--config A,B) need fewer");
}

static void draw_begin(struct drawing *d, const struct run *run, const char *name)
{
	progress_init(&d->progress, &run->common);
	d->run = run;
	d->begin_ns = progress_now_ns();
	d->next_look = 0;
	d->work = run->work;
	if (run->beside) {
		progress_beside_begin(run->beside, run->part, name);
		return;
	}
	if (d->work->targets > 1)
		snprintf(d->name, sizeof(d->name), "[%zu/%zu] %s", d->work->ended + 1,
			 d->work->targets, name);
	else
		snprintf(d->name, sizeof(d->name), "%s", name);
	progress_show(&d->progress, "%s: starting", d->name);
}

/* Fills in what the agent inside a lab does not know. */
static void finish(struct result *r, const struct run *run, const struct target *t,
		   const struct job *job, const char *started)
{
	char now[TIME_BYTES];
	bool partial = r->run.partial;
	bool lab = !strcmp(t->ops->kind, "lab");

	r->run = (struct result_run){ .partial = partial };
	begin(r, run, job, started);
	now_text(now);
	r->run.finished = result_string(r, now);
	r->subject.label = result_string(r, run->label);
	r->subject.commit = result_string(r, run->commit);
	if (lab && !r->machine.fingerprint) {
		/* The machine was not described. */
		r->machine.fingerprint = "unknown";
		r->machine.arch = t->arch == ARCH_X86_64 ? "x86_64" : "aarch64";
	} else if (lab) {
		env_fingerprint_mix(r, r->target.emulator);
		env_check_confinement(r, confine_stays_root(&t->confined));
	} else {
		int pinned = r->machine.pinned;

		env_machine(r);
		r->machine.pinned = pinned;
		env_checks(r);
		if (confine_stays_root(&t->confined))
			env_check_confinement(r, true);
	}
	if (confine_stays_root(&t->confined))
		result_warn(
			r, "confinement",
			"the emulator has root's user id: it is in a folder that is closed to other users");
	if (partial && !result_failure(r))
		result_warn(r, "partial",
			    "the run ended early: some benchmarks are missing");
}

/* Adds the failure of the target to its document, if run->keep_failed. */
static void keep_failed(const struct run *run, const struct target *t,
			const struct job *job, const struct error *err,
			struct result **out)
{
	bool any = *out && (*out)->n_benchmarks;

	if (!run->keep_failed || interrupted || (!any && run->targets.n < 2))
		return;
	if (!*out)
		*out = result_new();
	measure_fail(t, job, err, *out);
}

static enum cli_exit measure(const struct run *run, struct target *t, struct result **out)
{
	struct drawing d;
	const struct measure_watch watch = {
		.ctx = &d,
		.progress = show,
		.more = run->decide > 0 || run->budget_ns ? wants_more : NULL,
		.benchmark = run->trace ? row_traced : NULL,
		.slots = run->slots,
	};
	struct job job = run->job;
	struct error err = { "" };
	char started[TIME_BYTES];
	bool bad_request;
	int rc;

	/* Exact targets are reproducible without a seed. */
	if (t->exact && !job.seed_given)
		job.seed = 0;
	if (!t->exact && run->against.what && !job.boots && !(run->decide > 0) &&
	    !run->budget_ns)
		job.boots = AGAINST_BOOTS;

	draw_begin(&d, run, t->name);
	now_text(started);
	rc = t->ops->open(t, &run->job, &err);
	if (!rc)
		rc = measure_run(t, &job, &watch, out, &err);
	t->ops->close(t);
	progress_clear(&d.progress);
	/* No row to measure, or no usable payload: a wrong command line. */
	bad_request = (rc == -ENOENT || rc == -ENOEXEC) && *out && !(*out)->n_benchmarks;
	if (rc && !bad_request)
		keep_failed(run, t, &job, &err, out);
	/* A lab that did not boot has no document. */
	if (*out && (*out)->n_benchmarks)
		finish(*out, run, t, &job, started);
	if (!rc) {
		say_decided(run, *out);
		return CLI_OK;
	}
	/* Under "all", a target without any of the benchmarks is omitted. */
	if (rc == -ENOENT && run->all_targets && bad_request) {
		message_info(run->common.quiet,
			     "%s is left out: it has none of these benchmarks", t->name);
		return CLI_OK;
	}
	message_error("%s", err.text);
	return bad_request ? CLI_USAGE : CLI_FAILED;
}

/* Adds a name to the text of a message. */
static void add_name(char *text, size_t bytes, const char *name)
{
	size_t used = strlen(text);

	snprintf(text + used, bytes - used, "%s%s", used ? ", " : "", name);
}

/*
 * Says which benchmarks and configs the target does not have, of those that were given by
 * name. A target without any of them is an error, or is left out.
 */
static void say_lacking(const struct run *run, const struct target *t)
{
	const struct job *job = &run->job;
	char benches[512] = "", configs[512] = "";
	size_t n = 0;

	for (size_t i = 0; i < job->n_benches; i++) {
		const char *name = job->benches[i];

		if (plan_has_bench(t, job, result_find_bench(name)))
			n++;
		else if (run->bench_words && names_is_listed(run->bench_words, name))
			add_name(benches, sizeof(benches), name);
	}
	for (size_t i = 0; run->config_words && i < job->n_configs; i++) {
		const char *name = job->configs[i];

		if (!plan_has_config(t, result_find_config(name)) &&
		    names_is_listed(run->config_words, name))
			add_name(configs, sizeof(configs), name);
	}
	if (n && *benches)
		message_info(run->common.quiet, "%s does not have %s", t->name, benches);
	if (n && *configs)
		message_info(run->common.quiet, "%s does not have the config %s", t->name,
			     configs);
}

static enum cli_exit probe_and_measure(const struct run *run, struct target *t,
				       struct result **out, bool *left_out)
{
	struct error err = { "" };
	char started[TIME_BYTES];
	int rc = t->ops->probe(t, &run->job, &err);

	*left_out = rc && run->all_targets && rc != -ENOEXEC && rc != -ENETUNREACH;
	if (*left_out) {
		message_info(run->common.quiet, "%s is left out: %s", t->name, err.text);
		return CLI_OK;
	}
	if (!rc) {
		say_lacking(run, t);
		return measure(run, t, out);
	}
	message_error("%s: %s", t->name, err.text);
	if (rc == -ENOEXEC)
		return CLI_USAGE;
	keep_failed(run, t, &run->job, &err, out);
	if (*out) {
		now_text(started);
		finish(*out, run, t, &run->job, started);
	}
	return CLI_FAILED;
}

enum cli_exit run_target(const struct run *run, const struct target *row,
			 struct result **out)
{
	struct progress_work one = { .targets = 1 };
	struct target t = *row;
	struct run timed = *run;
	enum cli_exit code;
	bool left_out;

	if (!timed.work)
		timed.work = &one;
	t.trace = run->trace ? &run->trace->trace : NULL;
	t.timing = run->timing;
	*out = NULL;
	progress_work_begin(timed.work);
	code = probe_and_measure(&timed, &t, out, &left_out);
	if (!left_out)
		progress_work_end(timed.work);
	if (run->beside)
		progress_beside_end(run->beside, run->part, !left_out);
	/* A document without benchmarks is of no use. */
	if (*out && !(*out)->n_benchmarks) {
		result_free(*out);
		*out = NULL;
	}
	return code;
}

/* ------------------------------ --touch: the metrics of simulated caches
 * ------------------------------ */

static void add_metric(struct result *r, struct result_benchmark *b,
		       const struct touch_metric *from)
{
	const int64_t sample = (int64_t)from->value;
	struct result_metric *m = result_add_metric(r, b);
	struct result_boot *boot = result_add_boot(r, m);

	m->name = result_string(r, from->name);
	m->unit = from->unit;
	m->better = "lower";
	m->value = from->value;
	m->stat = "simulated";
	m->ci = (struct result_ci){ 1, from->value, from->value, "exact" };
	boot->valid = true;
	if (stats_summarize(&sample, 1, &boot->summary) ||
	    histogram_build(&sample, 1, 7, &boot->histogram))
		abort();
}

/* The explanation of a row of `r`, recorded as the run measured it; NULL: see `code`. */
static struct explanation *record(const struct run *run, const struct result *r,
				  const struct result_benchmark *b, enum cli_exit *code)
{
	struct explanation *e = NULL;
	struct explain x = { .kinds = false };
	struct error why;

	run_init(&x.run);
	x.run.common.quiet = true;
	x.run.touch = run->touch;
	x.run.job.kernel = run->job.kernel;
	x.run.job.modules = run->job.modules;
	x.run.job.append = run->job.append;
	x.run.job.emulator = run->job.emulator;
	x.run.job.timeout_ns = run->job.timeout_ns;
	x.run.job.lab_timeout_s = run->job.lab_timeout_s;
	x.run.job.events = run->job.events;
	*code = CLI_FAILED;
	if (names_match_targets(r->target.name, &x.run.targets, &why) ||
	    names_match_benches(b->name, &x.run.benches, &why) ||
	    names_match_configs(b->config, &x.run.configs, &why))
		message_error("%s", why.text);
	else
		*code = explain_record(&x, &e);
	explain_free(&x);
	return e;
}

enum cli_exit run_touch(const struct run *run, struct result *r)
{
	struct touch_metric list[TOUCH_METRICS_MAX];
	enum cli_exit worst = CLI_OK;

	for (size_t i = 0; i < r->n_benchmarks && !interrupted; i++) {
		struct result_benchmark *b = &r->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, "round_trip");
		struct explanation *e = NULL;
		enum cli_exit code = CLI_OK;
		const char *why;
		size_t n;

		if (b->status != RESULT_OK || !m)
			continue;
		why = row_refusal(result_find_bench(b->name));
		if (!why) {
			message_info(run->common.quiet, "%s: recording %s, %zu of %zu",
				     r->target.name, b->name, i + 1, r->n_benchmarks);
			e = record(run, r, b, &code);
			why = "the recording failed (messages on stderr)";
		}
		if (e && e->round_trip != m->value)
			why = "the recorded boot has another figure than the row";
		if (!e || e->round_trip != m->value)
			result_warn(r, "touch", "%s [%s]: not simulated: %s", b->name,
				    b->config, why);
		n = e && e->round_trip == m->value ? touch_metrics(e, list) : 0;
		for (size_t k = 0; k < n; k++)
			add_metric(r, b, &list[k]);
		explanation_free(e);
		if (code == CLI_FAILED || code == CLI_USAGE)
			worst = CLI_FAILED;
	}
	return worst;
}
