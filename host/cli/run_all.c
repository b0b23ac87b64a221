/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run`: every target, in turn or beside each other, a document each, one table.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/cli/compare.h"
#include "host/cli/run.h"
#include "host/measure/measure.h"
#include "host/report/run_table.h"

/* The targets that "all" does not leave out. */
static size_t count_targets(const struct run *run)
{
	struct job job = run->job;
	size_t n = 0;

	job.fetch = JOB_FETCH_NEVER;
	for (size_t i = 0; i < run->targets.n; i++) {
		struct target t = *names_target(run->targets.names[i]);
		struct error err;

		/* A kernel that is not cached is fetched in its turn. */
		n += !run->all_targets || run->job.kernel ||
		     !t.ops->probe(&t, &job, &err);
	}
	return n;
}

/* A run without a figure is not a success, even if each row says why it is skipped. */
static enum cli_exit nothing_measured(struct result *const *docs, size_t n)
{
	const struct result_benchmark *first = NULL;
	size_t skipped = 0, failed = 0;
	bool said = false;

	for (size_t i = 0; i < n; i++) {
		said |= result_failure(docs[i]) != NULL;
		for (size_t k = 0; k < docs[i]->n_benchmarks; k++) {
			const struct result_benchmark *b = &docs[i]->benchmarks[k];

			if (b->status == RESULT_OK)
				return CLI_OK;
			if (b->status == RESULT_FAIL)
				failed++;
			else
				skipped++;
			if (!first || (failed == 1 && b->status == RESULT_FAIL))
				first = b;
		}
	}
	if (!said && first)
		message_error("nothing was measured: %zu skipped, %zu failed; %s: %s",
			      skipped, failed, first->name,
			      first->reason ? first->reason : "no reason is known");
	return failed ? CLI_FAILED : CLI_UNTRUSTED;
}

struct beside {
	pthread_mutex_t lock;
	size_t n, next;
	void (*one)(void *ctx, size_t i);
	void *ctx;
};

static void *work_beside(void *ctx)
{
	struct beside *b = ctx;

	pthread_mutex_lock(&b->lock);
	while (b->next < b->n && !interrupted) {
		size_t i = b->next++;

		pthread_mutex_unlock(&b->lock);
		b->one(b->ctx, i);
		pthread_mutex_lock(&b->lock);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

void run_beside(size_t n, size_t at_once, void (*one)(void *ctx, size_t i), void *ctx)
{
	struct beside b = { .n = n, .one = one, .ctx = ctx };
	pthread_t *threads = calloc(at_once, sizeof(*threads));
	size_t started = 0;

	if (!threads)
		abort();
	pthread_mutex_init(&b.lock, NULL);
	while (at_once > 1 && started < at_once &&
	       !pthread_create(&threads[started], NULL, work_beside, &b))
		started++;
	if (!started)
		work_beside(&b);
	while (started)
		pthread_join(threads[--started], NULL);
	pthread_mutex_destroy(&b.lock);
	free(threads);
}

/* The targets of a run, and what became of them. */
struct all {
	struct run *run;
	struct result **docs;	/* one per target; NULL: none */
	enum cli_exit *codes;	/* one per target */
	size_t *parts;		/* the targets that are measured beside each other */
	struct timing *timings; /* one per target */
	uint64_t *durations_ns;
	struct progress_beside beside;
	pthread_mutex_t ending; /* one target at a time */
};

/* Writes the document as soon as the target has ended. */
static enum cli_exit end_target(const struct run *run, const struct target *t,
				struct result *doc)
{
	enum cli_exit code = run_failures(doc);

	/* Under "all", other targets are measured without --touch. */
	if (run->touch.wanted && !touch_refusal(t))
		code = gate_gravest(code, run_touch(run, doc));
	if (run->against.what)
		code = gate_gravest(code, run_against_ended(run, doc));
	else if (run->output)
		code = gate_gravest(code, run_write(run, doc));
	if (run->save)
		code = gate_gravest(code, run_save_baseline(run, doc));
	return code;
}

static void pass_on(struct all *all, const struct run *run, size_t i)
{
	pthread_mutex_lock(&all->ending);
	if (run->beside)
		progress_beside_hold(run->beside);
	run->ended(run->ended_ctx, i, all->docs[i]);
	if (run->beside)
		progress_beside_release(run->beside);
	pthread_mutex_unlock(&all->ending);
}

static void measure_target(struct all *all, const struct run *run, size_t i)
{
	const struct target *t = names_target(run->targets.names[i]);
	struct timing_mark begin = timing_mark(), mark;
	struct run own = run->each ? run->each[i] : *run;

	own.work = run->work;
	own.beside = run->beside;
	own.part = run->part;
	own.slots = run->slots;
	if (run->time_parts)
		own.timing = &all->timings[i];
	all->codes[i] = run_target(&own, t, &all->docs[i]);
	if (run->ended)
		pass_on(all, run, i);
	if (!all->docs[i] || run->each)
		return;
	mark = timing_mark();
	pthread_mutex_lock(&all->ending);
	all->codes[i] = gate_gravest(all->codes[i], end_target(&own, t, all->docs[i]));
	pthread_mutex_unlock(&all->ending);
	timing_add(own.timing, TIMING_WRITE, &mark, 0);
	all->durations_ns[i] = timing_mark().wall_ns - begin.wall_ns;
}

static void measure_part(void *ctx, size_t part)
{
	struct all *all = ctx;
	struct run run = *all->run;

	run.work = NULL;
	run.beside = &all->beside;
	run.part = part;
	measure_target(all, &run, all->parts[part]);
}

/*
 * Measures targets whose figures are times first, each alone, and then those that count
 * instructions beside each other. The boots of all targets share one slot per processor,
 * so that a boot with a limit of time has a processor.
 */
static void measure_beside(struct all *all, size_t at_once)
{
	struct run *run = all->run;
	size_t n = 0;
	sem_t slots;

	for (size_t i = 0; i < run->targets.n && !interrupted; i++)
		if (names_target(run->targets.names[i])->exact)
			all->parts[n++] = i;
		else
			measure_target(all, run, i);
	all->beside = (struct progress_beside){
		.parts = calloc(n + 1, sizeof(*all->beside.parts)),
		.n = n,
		.targets = run->all.targets,
		.ended = run->all.ended,
		.at_once = at_once,
	};
	if (!all->beside.parts || sem_init(&slots, 0, (unsigned int)pool_processors()))
		abort();
	pthread_mutex_init(&all->beside.lock, NULL);
	progress_init(&all->beside.line, &run->common);
	run->slots = &slots;
	run_beside(n, at_once, measure_part, all);
	run->slots = NULL;
	sem_destroy(&slots);
	pthread_mutex_destroy(&all->beside.lock);
	free(all->beside.parts);
}

static void measure_all(struct all *all)
{
	struct run *run = all->run;
	size_t exact = 0, at_once = run->jobs ? run->jobs : pool_processors();

	for (size_t i = 0; i < run->targets.n; i++)
		exact += names_target(run->targets.names[i])->exact;
	run->all = (struct progress_work){ .targets = count_targets(run) };
	run->work = &run->all;
	if (at_once > 1 && exact > 1) {
		measure_beside(all, at_once < exact ? at_once : exact);
		return;
	}
	for (size_t i = 0; i < run->targets.n && !interrupted; i++)
		measure_target(all, run, i);
}

/* Prints the documents, in the order of the targets. */
static enum cli_exit print_all(const struct run *run, struct result *const *docs,
			       size_t n, enum cli_exit code)
{
	if (n) {
		code = gate_gravest(
			code,
			run_print_tables(run, (const struct result *const *)docs, n));
	} else if (code == CLI_OK && !interrupted) {
		message_error("no target can run here");
		code = CLI_FAILED;
	}
	if (n && !interrupted)
		code = gate_gravest(code, nothing_measured(docs, n));
	return code;
}

static void print_timings(const struct all *all)
{
	struct table_options o;

	table_options_for(&o, stdout);
	for (size_t i = 0; i < all->run->targets.n; i++)
		if (all->durations_ns[i])
			run_timing_print(stdout, all->run->targets.names[i],
					 &all->timings[i], all->durations_ns[i], &o);
}

static void all_begin(struct all *all, struct run *run)
{
	size_t room = run->targets.n + 1;

	*all = (struct all){
		.run = run,
		.docs = calloc(room, sizeof(*all->docs)),
		.codes = calloc(room, sizeof(*all->codes)),
		.parts = calloc(room, sizeof(*all->parts)),
		.timings = calloc(room, sizeof(*all->timings)),
		.durations_ns = calloc(room, sizeof(*all->durations_ns)),
	};
	if (!all->docs || !all->codes || !all->parts || !all->timings ||
	    !all->durations_ns)
		abort();
	pthread_mutex_init(&all->ending, NULL);
}

static void all_end(struct all *all)
{
	pthread_mutex_destroy(&all->ending);
	free(all->docs);
	free(all->codes);
	free(all->parts);
	free(all->timings);
	free(all->durations_ns);
}

enum cli_exit run_measure(struct run *run, struct result **docs)
{
	enum cli_exit code = CLI_OK;
	struct all all;

	all_begin(&all, run);
	measure_all(&all);
	for (size_t i = 0; i < run->targets.n; i++) {
		code = gate_gravest(code, all.codes[i]);
		docs[i] = all.docs[i];
	}
	all_end(&all);
	return code;
}

static enum cli_exit run_all(struct run *run)
{
	enum cli_exit code = CLI_OK;
	struct all all;
	size_t n = 0;

	all_begin(&all, run);
	measure_all(&all);
	for (size_t i = 0; i < run->targets.n; i++) {
		code = gate_gravest(code, all.codes[i]);
		if (all.docs[i])
			all.docs[n++] = all.docs[i];
	}
	code = print_all(run, all.docs, n, code);
	if (run->time_parts)
		print_timings(&all);
	for (size_t i = 0; i < n; i++)
		result_free(all.docs[i]);
	all_end(&all);
	return code;
}

/* --runs of them, with another order of the boots in each. */
static enum cli_exit run_runs(struct run *run)
{
	enum cli_exit code = CLI_OK;

	if (!run->runs)
		run->runs = 1;
	if (run->resume)
		code = run_resume_check(run);
	for (run->which = 1; run->which <= run->runs && code != CLI_USAGE && !interrupted;
	     run->which++, run->job.seed++) {
		struct run one = *run;

		if (run->resume)
			run_resume_missing(run, run->which, &one.targets);
		if (one.targets.n)
			code = gate_gravest(code, run_all(&one));
		if (run->resume)
			names_free(&one.targets);
	}
	return code;
}

int cmd_run(int argc, char **argv)
{
	struct run run;
	enum cli_exit code;
	bool go;

	code = run_parse(&run, argc, argv, &go);
	if (code == CLI_OK && go)
		code = run_prepare_output(&run);
	run.keep_failed = true;
	if (code == CLI_OK && go) {
		target_catch_signals();
		code = run.against.what ? run_against(&run) : run_runs(&run);
	}
	run_free(&run);
	interrupt_pass_on();
	return code;
}
