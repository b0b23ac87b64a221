/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run`: every target, in turn or beside each other, a document each, one table.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/cli/documents.h"
#include "host/cli/gate.h"
#include "host/cli/progress.h"
#include "host/cli/run.h"
#include "host/measure/pool.h"
#include "host/report/run_table.h"

/* Whether -o names a folder: it exists, ends in '/', or there are several targets. */
static bool output_is_folder(const struct run *run)
{
	size_t length = strlen(run->output);
	struct stat st;

	if (!stat(run->output, &st))
		return S_ISDIR(st.st_mode);
	return run->targets.n > 1 || run->runs > 1 || run->resume || run->against.what ||
	       (length && run->output[length - 1] == '/');
}

static bool is_json_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".json");
}

static bool folder_is_writable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	return !access(path, W_OK | X_OK);
}

/* What does not fit in one file; NULL: one document. */
static const char *needs_folder(const struct run *run)
{
	return run->against.what    ? "the two sides of --against"
	       : run->resume	    ? "the runs of --resume"
	       : run->runs > 1	    ? "several runs"
	       : run->targets.n > 1 ? "several targets"
				    : NULL;
}

static enum cli_exit prepare_folder(const char *folder)
{
	struct error err;

	if (documents_make_folder(folder, &err)) {
		message_error("%s", err.text);
		return CLI_USAGE;
	}
	if (!folder_is_writable(folder)) {
		message_error("cannot write to folder %s: %m", folder);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* The folders of the two sides of --against. */
static enum cli_exit prepare_sides(const char *output)
{
	static const char *const sides[] = { "base", "new" };
	enum cli_exit code = CLI_OK;

	for (size_t i = 0; i < 2 && code == CLI_OK; i++) {
		char *folder;

		if (asprintf(&folder, "%s/%s", output, sides[i]) < 0)
			abort();
		code = prepare_folder(folder);
		free(folder);
	}
	return code;
}

/* Checks the output before the measurement, which takes minutes. */
static enum cli_exit prepare_output(const struct run *run)
{
	const char *needs = needs_folder(run);
	enum cli_exit code = CLI_OK;
	char *folder, *slash;

	if (!run->output)
		return CLI_OK;
	if (!*run->output) {
		message_error("%s", run->resume ? "--resume needs a folder"
						: "-o needs a file or a folder");
		return CLI_USAGE;
	}
	if (needs && is_json_name(run->output)) {
		message_error("%s names a file: %s need a folder", run->output, needs);
		return CLI_USAGE;
	}
	if (output_is_folder(run)) {
		code = prepare_folder(run->output);
		if (code == CLI_OK && run->against.what)
			code = prepare_sides(run->output);
		return code;
	}
	if (needs) {
		message_error("%s is a file: %s need a folder", run->output, needs);
		return CLI_USAGE;
	}
	folder = strdup(run->output);
	if (!folder)
		abort();
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	else
		strcpy(folder, ".");
	if (!folder_is_writable(folder)) {
		message_error("cannot write to folder %s: %m", folder);
		code = CLI_USAGE;
	}
	free(folder);
	return code;
}

static enum cli_exit failures(const struct result *r)
{
	size_t i;

	for (i = 0; i < r->n_benchmarks; i++)
		if (r->benchmarks[i].status == RESULT_FAIL)
			return CLI_FAILED;
	return CLI_OK;
}

/* "kvm-2.json" of "kvm.json", which is freed. */
static char *number_path(char *path, uint32_t which)
{
	char *numbered;

	if (!is_json_name(path) ||
	    asprintf(&numbered, "%.*s-%u.json", (int)(strlen(path) - strlen(".json")),
		     path, which) < 0)
		abort();
	free(path);
	return numbered;
}

char *run_path(const char *folder, const char *target, uint32_t which)
{
	const struct result r = { .target = { .name = target } };

	return number_path(documents_path(folder, &r), which);
}

static bool is_complete(const char *path)
{
	struct result *old;
	struct error err;
	bool complete;

	if (result_read(path, &old, &err))
		return false;
	complete = !old->run.partial;
	result_free(old);
	return complete;
}

/* A complete document is not replaced by what an interrupted run has: "kvm.json.partial".
 */
static char *keep_complete(char *path, const struct result *r)
{
	char *other;

	if (!interrupted || !r->run.partial || !is_complete(path))
		return path;
	if (asprintf(&other, "%s.partial", path) < 0)
		abort();
	message_warn("%s is a complete document of another run and is not replaced",
		     path);
	free(path);
	return other;
}

enum cli_exit run_write(const struct run *run, const struct result *r)
{
	struct error err;
	char *path = output_is_folder(run) ? documents_path(run->output, r)
					   : strdup(run->output);
	int rc;

	if (run->resume && run_resume_fits(run, r, &err)) {
		message_error("%s: the new run %u is not one of these: %s", run->resume,
			      run->which, err.text);
		free(path);
		return CLI_FAILED;
	}
	if (path && (run->runs > 1 || run->resume))
		path = number_path(path, run->which);
	if (!path)
		abort();
	path = keep_complete(path, r);
	rc = result_write(path, r, &err);
	if (rc)
		message_error("%s", err.text);
	else
		message_info(run->common.quiet, "wrote %s", path);
	free(path);
	return rc ? CLI_FAILED : CLI_OK;
}

/* A baseline is not replaced by a run that failed or was interrupted. */
static enum cli_exit save_baseline(const struct run *run, const struct result *r)
{
	struct error err;

	if (r->run.partial || failures(r) != CLI_OK) {
		message_warn(
			"%s is not saved in the baseline %s: the run is not complete",
			r->target.name, run->save);
		return CLI_OK;
	}
	if (!baseline_save(run->save, r, &err)) {
		message_info(run->common.quiet, "saved %s in the baseline %s",
			     r->target.name, run->save);
		return CLI_OK;
	}
	message_error("%s", err.text);
	return CLI_FAILED;
}

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

static void print_document(const struct result *r)
{
	char *text = result_dump(r);

	fputs(text, stdout);
	free(text);
}

void run_print(const struct run *run, const struct result *r)
{
	struct table_options o;

	table_options_for(&o, stdout);
	if (run->json)
		print_document(r);
	else
		run_table_print(stdout, &r, 1, &o, !run->common.quiet);
}

static enum cli_exit print_tables(const struct run *run, const struct result *const *docs,
				  size_t n)
{
	struct table_options o;

	table_options_for(&o, stdout);
	run_table_print(stdout, docs, n, &o, !run->common.quiet);
	for (size_t i = 0; run->metrics && i < n; i++)
		run_metrics_print(stdout, docs[i], &o);
	for (size_t i = 0; run->stats && i < n; i++)
		run_statistics_print(stdout, docs[i], &o);
	return run->job.pairs ? run_print_aa(docs, n) : CLI_OK;
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
	enum cli_exit code = failures(doc);

	/* Under "all", other targets are measured without --touch. */
	if (run->touch.wanted && !touch_refusal(t))
		code = gate_gravest(code, run_touch(run, doc));
	if (run->against.what)
		code = gate_gravest(code, run_against_ended(run, doc));
	else if (run->output)
		code = gate_gravest(code, run_write(run, doc));
	if (run->save)
		code = gate_gravest(code, save_baseline(run, doc));
	return code;
}

static void measure_target(struct all *all, const struct run *run, size_t i)
{
	const struct target *t = names_target(run->targets.names[i]);
	struct timing_mark begin = timing_mark(), mark;
	struct run own = *run;

	if (run->time_parts)
		own.timing = &all->timings[i];
	all->codes[i] = run_target(&own, t, &all->docs[i]);
	if (!all->docs[i])
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
	if (n && run->json) {
		print_document(docs[0]);
	} else if (n) {
		code = gate_gravest(
			code, print_tables(run, (const struct result *const *)docs, n));
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
		code = prepare_output(&run);
	run.keep_failed = true;
	if (code == CLI_OK && go) {
		target_catch_signals();
		code = run.against.what ? run_against(&run) : run_runs(&run);
	}
	run_free(&run);
	interrupt_pass_on();
	return code;
}
