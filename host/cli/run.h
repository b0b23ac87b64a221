/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `wsbench run`, and a run on one target. */
#ifndef WS_CLI_RUN_H
#define WS_CLI_RUN_H

#include <semaphore.h>
#include <stdbool.h>

#include "host/cli/cmd.h"
#include "host/cli/names.h"
#include "host/cli/options.h"
#include "host/cli/progress.h"
#include "host/cli/lab_options.h"
#include "host/lib/table.h"
#include "host/measure/measure.h"

/* Records the boots of a lab, and receives each row that is measured. */
struct run_trace {
	struct target_trace trace;
	void (*row)(void *ctx, const struct result *r, const struct result_benchmark *b);
};

/* --against: the second side of a run. run_against.c */
struct against {
	const char *what;      /* config or kernel; NULL: none */
	const char *config[2]; /* of both sides; NULL: two kernels */
	struct result **base;  /* of the second kernel: documents of the first */
};

/* Boots of each side on noisy targets, unless --boots, --decide or --budget says. */
#define AGAINST_BOOTS 20

struct run {
	struct options_common common;
	struct names_list targets, benches, configs;
	bool stats, metrics, time_parts; /* --timing */
	struct touch_options touch;	 /* for run and explain */
	bool json;			 /* print the document instead of the table */
	bool all_targets;		 /* "all": omit targets that cannot run here */
	/*
	 * Write a document for a target that failed, with its missing rows as failed: if
	 * it has measured rows, or if there are other targets.
	 */
	bool keep_failed;
	struct job job;
	const struct run_trace *trace; /* for explain; NULL */
	/* --bench and --config as given: names that a target lacks are said. NULL: none.
	 */
	const char *bench_words, *config_words;
	const char *label, *commit; /* of the subject; NULL: none given */
	const char *output;	    /* -o; NULL: none */
	uint32_t runs, which;	    /* --runs; the number of this run, from 1 */
	double decide;		    /* --decide, a share; 0: none */
	uint64_t budget_ns;	    /* --budget; 0: none */
	struct against against;
	const char *resume;	    /* --resume: the folder; NULL: none */
	bool any_kernel, any_tool;  /* with --resume */
	const char *save;	    /* the name of a baseline; NULL: none */
	struct progress_work *work; /* of several run_target(); NULL: of one */
	struct progress_work all;   /* where this run has several */
	uint32_t jobs;		    /* --jobs; 0: one per processor */
	/* Of a target that is measured beside others, its part; NULL: it is not. */
	struct progress_beside *beside;
	size_t part;
	sem_t *slots;	       /* of measure_watch */
	struct timing *timing; /* of target; NULL: not wanted */
	int argc;
	char **argv;
};

/*
 * Fills in `run` from the command line. CLI_OK with `*go` false after --help;
 * else CLI_OK, or CLI_USAGE after a message. run_free() it in any case.
 */
enum cli_exit run_parse(struct run *run, int argc, char **argv, bool *go);
void run_free(struct run *run);

/*
 * Without a command line: run_init(), fill in targets, benches, configs and the job's
 * limits and options, run_complete(), run_target(), run_free().
 */
void run_init(struct run *run);

/* CLI_USAGE after a message of `command` if the target would ignore an option of the job.
 */
enum cli_exit run_check_options(const char *command, const struct job *job,
				const struct target *t);

/*
 * Points the job to the lists of names; no target or no benchmark selects the default.
 * CLI_USAGE after a message if a target cannot use an option of the job.
 */
enum cli_exit run_complete(struct run *run);

/*
 * --against: whether the command line makes sense, with the sides filled in; the run with
 * its comparison; the end of a target, whose documents are written to the folders "base"
 * and "new" of -o. Without --against, the first does nothing.
 */
enum cli_exit run_against_check(struct run *run);
enum cli_exit run_against(struct run *run);
enum cli_exit run_against_ended(const struct run *run, struct result *r);

/* Measures every target. `docs`, one per target: result_free() each; NULL: none. */
enum cli_exit run_measure(struct run *run, struct result **docs);

/*
 * --resume: whether the documents in the folder are runs of this job, on this machine and
 * kernel; says how many are done, and how many failed and are not done. CLI_USAGE after a
 * message: the documents are of another job.
 */
enum cli_exit run_resume_check(const struct run *run);
/*
 * Whether a new document has the emulator and the kernel of the others in the folder. 0
 * or -EINVAL.
 */
int run_resume_fits(const struct run *run, const struct result *r, struct error *err);
/* The targets whose run of a number is missing; names_free() them. */
void run_resume_missing(const struct run *run, uint32_t which,
			struct names_list *missing);

/* FOLDER/lab-aarch64-vhe-2.json, of a run among several. free() it. */
char *run_path(const char *folder, const char *target, uint32_t which);

/* Prints the table of a document, or the document with --json. */
void run_print(const struct run *run, const struct result *r);

/* Writes a document to -o. */
enum cli_exit run_write(const struct run *run, const struct result *r);

/*
 * Prints the table of an A/A run for each document. CLI_UNTRUSTED if a comparison of
 * equal boots found a difference.
 */
enum cli_exit run_print_aa(const struct result *const *docs, size_t n);

/*
 * Prints the table of --timing. `whole_ns`: from the begin to the end of the target;
 * parts that run beside each other sum to more.
 */
void run_timing_print(FILE *f, const char *target, const struct timing *timing,
		      uint64_t whole_ns, const struct table_options *o);

/*
 * Calls one(ctx, i) for each i < n, `at_once` of them at a time, in threads of their own
 * (at_once > 1) or in the caller's. After a signal no further call begins.
 */
void run_beside(size_t n, size_t at_once, void (*one)(void *ctx, size_t i), void *ctx);

/*
 * Measures on one target. `*out` is its document or NULL. A target that cannot
 * run here ends with CLI_FAILED, or, under "all", with CLI_OK and a note.
 */
enum cli_exit run_target(const struct run *run, const struct target *row,
			 struct result **out);

/*
 * --touch: records each measured row of a lab's document again and adds the metrics of
 * touch_metrics(). A row that cannot be recorded has a warning in the document.
 * CLI_FAILED if the lab failed.
 */
enum cli_exit run_touch(const struct run *run, struct result *r);

#endif
