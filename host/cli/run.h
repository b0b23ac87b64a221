/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of `wsbench run`, and a run on one target; its progress; the explanation of
 * what it measures.
 */
#ifndef WS_CLI_RUN_H
#define WS_CLI_RUN_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/cli/cli.h"
#include "host/cli/options.h"
#include "host/explain/touch.h"
#include "host/explain/explanation.h"
#include "host/explain/formats.h"
#include "host/lib/table.h"
#include "host/measure/measure.h"

/* ------------------------------ progress ------------------------------ */

/*
 * Progress on stderr: on a terminal one line that is drawn over itself; elsewhere, such
 * as in the log of a CI job, a plain line a minute.
 */

struct progress {
	bool terminal, log; /* neither: --quiet */
	bool drawn;	    /* a line is on the screen */
	uint64_t last_ns;   /* when it was drawn, or a line was logged; CLOCK_MONOTONIC */
};

void progress_init(struct progress *p, const struct options_common *common);

/*
 * Draws the line, truncated to the terminal's width. Ignores calls within 50 ms of the
 * previous line; in a log, calls within a minute of the previous line or the start.
 */
void progress_show(struct progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Erases the line. Call before other output, and at the end. */
void progress_clear(struct progress *p);

/*
 * The work of a command that measures several targets in turn, for the time that is left.
 * Times are of CLOCK_MONOTONIC. progress_work_begin() and progress_work_end() enclose a
 * target.
 */
struct progress_work {
	size_t targets; /* all, of the caller */
	size_t ended;	/* measured targets, with their duration in `ended_ns` */
	uint64_t ended_ns, begin_ns;
	uint64_t boots_ns; /* when the first boot of this target began; 0: not yet */
};

void progress_work_begin(struct progress_work *w);
void progress_work_end(struct progress_work *w);

#define PROGRESS_LEFT_BYTES 48

/*
 * ", about 2 min left", by what was measured so far: the other targets are assumed to
 * last as long as those that ended. ", about 2 min left here" while there are others, and
 * none ended. "" if nothing is known: no boot ended, or the first second is not over.
 * `done` of `total` boots of this target are done at `now_ns`.
 */
void progress_left(char text[PROGRESS_LEFT_BYTES], const struct progress_work *w,
		   size_t done, size_t total, uint64_t now_ns);

/*
 * The one line of several targets that are measured at a time. The caller fills in `line`
 * by progress_init(), `parts`, `targets`, `ended` (targets that were measured before) and
 * `at_once`. A part belongs to one thread at a time.
 */
struct progress_part {
	const char *name;
	size_t done, total; /* boots */
	uint64_t begin_ns;  /* 0: not yet */
	uint64_t boots_ns;  /* when the first boot began; 0: not yet */
	uint64_t end_ns;    /* 0: not yet */
};

struct progress_beside {
	struct progress line;
	pthread_mutex_t lock; /* of everything here */
	struct progress_part *parts;
	size_t n;	       /* parts */
	size_t targets, ended; /* of the run, including those outside of `parts` */
	size_t at_once;	       /* parts */
};

void progress_beside_begin(struct progress_beside *b, size_t part, const char *name);
void progress_beside_boots(struct progress_beside *b, size_t part, size_t done,
			   size_t total);
/* `counts`: the part is one of `targets`, and was measured. */
void progress_beside_end(struct progress_beside *b, size_t part, bool counts);
/* Between these two the line is erased, for other output. */
void progress_beside_hold(struct progress_beside *b);
void progress_beside_release(struct progress_beside *b);

/*
 * The line: "[1/7 done], about 50 s left: lab:x86_64-svm 12 %, lab:aarch64-vhe 40 %".
 * Parts that have not begun, or whose boots have not, are assumed to last as long as the
 * mean of the others.
 */
void progress_beside_text(const struct progress_beside *b, uint64_t now_ns, char *text,
			  size_t bytes);

uint64_t progress_now_ns(void);

/* ------------------------------ a run ------------------------------ */

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
	/* Of run_measure(), one per target: what differs from target to target; NULL. */
	const struct run *each;
	/*
	 * With `each`: called when a target has ended, one call at a time, without a line
	 * of progress. The document is that of run_measure(); NULL: none.
	 */
	void (*ended)(void *ctx, size_t target, struct result *doc);
	void *ended_ctx;
	uint32_t jobs; /* --jobs; 0: one per processor */
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

/*
 * Measures every target, those that count instructions beside each other. `docs`, one per
 * target: result_free() each; NULL: none. With run->each, a failed row is the caller's
 * matter, as after run_target().
 */
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

/* Checks -o before the measurement, which takes minutes, and makes its folders. */
enum cli_exit run_prepare_output(const struct run *run);

/* CLI_FAILED if a row of the document failed. */
enum cli_exit run_failures(const struct result *r);

/* --save. A baseline is not replaced by a run that failed or was interrupted. */
enum cli_exit run_save_baseline(const struct run *run, const struct result *r);

/*
 * The table of all documents, and those of --metrics, --stats and --aa; the first
 * document with --json.
 */
enum cli_exit run_print_tables(const struct run *run, const struct result *const *docs,
			       size_t n);

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

/* ------------------------------ explain ------------------------------ */

/* The options of `wsbench explain`. */
struct explain {
	struct run run;	    /* one target; without files, benchmarks of one boot */
	const char *file;   /* show this explanation and run nothing; NULL */
	const char *diff;   /* compare with this one; NULL */
	const char *svg;    /* draw a flame graph there; NULL */
	const char *output; /* NULL: none */
	const struct explain_format *format; /* print this; NULL: tables */
	bool tree, kinds, markdown;
	size_t top;			 /* functions that are shown; SIZE_MAX: all */
	const char *estimate;		 /* weights: a family or a file; NULL */
	struct estimate_weights weights; /* of `estimate` */
	char *debuginfo;      /* files and folders, separated by commas; NULL: none */
	const char *source;   /* the folder of the kernel's source; NULL */
	const char *annotate; /* list this function; NULL */
	uint64_t lines;	      /* print so many lines of source; 0: no table of lines */
	bool across_vendors;  /* `diff` may be of the other x86_64 vendor */
};

/* As run_parse(); explain_free() it in any case. */
enum cli_exit explain_parse(struct explain *x, int argc, char **argv, bool *go);
void explain_free(struct explain *x);

/*
 * Runs the benchmark of `x` in its lab and explains its figure. Without a config, chooses
 * the config that the row is about. CLI_OK with `*out`, or another code after a message:
 * CLI_UNTRUSTED if the figure is not made of instructions.
 */
enum cli_exit explain_record(struct explain *x, struct explanation **out);

/*
 * Explains the benchmarks of `x` in one boot of the lab, and passes each explanation,
 * which then belongs to `take`. A benchmark that cannot be explained is left out; CLI_OK
 * if there is another one.
 */
enum cli_exit explain_record_each(struct explain *x,
				  enum cli_exit (*take)(void *ctx, struct explanation *e),
				  void *ctx);

#endif
