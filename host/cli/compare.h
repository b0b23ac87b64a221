/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that compare figures: `compare` and `history`, and what they share with
 * `diff`.
 */
#ifndef WS_CLI_COMPARE_H
#define WS_CLI_COMPARE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/cli/cli.h"
#include "host/cli/options.h"
#include "host/compare/compare.h"
#include "host/explain/why.h"
#include "host/history/history.h"

/* ------------------------------ shared ------------------------------ */

/* --threshold and --fail-on of `compare`, `diff` and `history check`. */
struct gate {
	struct threshold *thresholds; /* the texts are in argv */
	size_t n_thresholds;
	bool fail_on_changed, fail_on_distribution, fail_on_worse_maybe;
	bool of_history; /* set before the parser runs */
};

/* For `struct argp.children`; the input is a struct gate, zeroed but for of_history. */
extern const struct argp gate_options;

void gate_free(struct gate *gate);

/* The exit code of a comparison. */
enum cli_exit gate_exit(const struct gate *gate, const struct compare *c);

/* Of two codes, the first of these: failed, bad input, worse, no verdict. */
enum cli_exit gate_gravest(enum cli_exit a, enum cli_exit b);

/* --explain of `compare`, and of `diff`: measures again what differs, and records it. */

/*
 * Whether rows of these documents can be explained at all: both are of labs of one name.
 * -EINVAL with `err`: not.
 */
int compare_why_check(const struct result *base, const struct result *new,
		      struct error *err);

/* What the command line says about the boots; NULL: by the documents. */
struct why_boots {
	const char *base_kernel; /* image or release of the base */
	/* A program or folder on a document's word is not started: it may be foreign. */
	const char *emulator;
};

/*
 * Boots the kernels of both documents of each comparison, which must be of one lab, and
 * explains the selected rows, of several labs beside each other. A row that cannot be
 * explained has a reason; if no row can, because a kernel is not here, w->refusal says
 * so. `explained` is called once for each, in their order, one at a time.
 */
struct why_work {
	const struct compare *c;
	struct why *w;
};
void compare_why(const struct why_work *each, size_t n, const struct why_boots *boots,
		 bool quiet, void (*explained)(void *ctx, size_t i), void *ctx);

/* ------------------------------ compare ------------------------------ */

/*
 * `wsbench compare`: compare.c reads the command line; compare_sides.c reads the
 * documents of each side, pairs them by target, judges (host/compare) and prints; aa.c is
 * --aa, compare_why.c is --explain.
 */

enum compare_form { FORM_TABLE, FORM_JSON, FORM_MARKDOWN };

#define COMPARE_LIST_MAX 64

/* A comma-separated list, split in place. */
struct compare_words {
	char *copy;
	const char *word[COMPARE_LIST_MAX];
	size_t n;
};

struct compare_args {
	struct options_common common;
	struct gate gate;
	struct compare_options options;
	struct compare_words benches, metrics, configs;
	const char *base;   /* --base; NULL: the first path */
	const char **paths; /* room for all of argv and the base */
	size_t n_paths;
	/*
	 * With --new, each side is a list of runs: `sides` says on which side of the two
	 * each path was given.
	 */
	bool runs, after_new;
	bool aa; /* runs of one kernel with each other */
	bool *sides;
	enum compare_form form;
	const char *form_option; /* that chose it; NULL */
	bool all;
	enum why_rows explain;
	size_t explain_rows;	/* 0: the default */
	struct why_boots boots; /* of --explain */
};

/* The documents of the paths, each new one with the base; or the runs of two sides. */
enum cli_exit compare_paths(const struct compare_args *args);

/* --aa: reads the runs of one kernel for compare_aa(). */
enum cli_exit compare_same(const struct compare_args *args);

/*
 * Compares runs of one kernel with each other, for each target: those with odd numbers in
 * the order of time with the others. Every difference is false. CLI_UNTRUSTED if there is
 * one; CLI_USAGE after a message: fewer than four runs, or runs that cannot be compared.
 */
enum cli_exit compare_aa(const struct result *const *docs, size_t n,
			 const struct compare_options *o);

/* ------------------------------ history ------------------------------ */

/* The arguments of `wsbench history`. */
struct history_args {
	struct options_common common;
	struct gate gate;
	const char *command; /* "add", "check", "show", "why" */
	const char *db;
	char **files; /* room for all of argv */
	size_t n_files;
	char **explanations; /* room for all of argv */
	size_t n_explanations;
	char **changelogs; /* room for all of argv */
	size_t n_changelogs;
	const char *since; /* a run, for `why`; NULL: all steps */
	bool missing;	   /* print the explanations that `why` lacks */
	const char *tree;  /* a git tree with the kernel's commits, for `why`; NULL */
	struct history_query query;
	bool confirm, json;
	enum history_twice twice;
	struct changepoint_rules rules;
	const char *kernel, *modules, *emulator; /* for --confirm */
	uint64_t boots;
};

/*
 * Measures what got worse again in fresh boots, of both kernels if possible, and sets
 * `confirmed` and `reason`.
 */
void history_confirm(const struct history_args *args, const struct history *h,
		     struct history_alarm *alarms, size_t n);

/* Keeps the explanations and changelogs of `add` beside the history. */
enum cli_exit history_keep(const struct history_args *args);

/*
 * `history why`: each step, with the functions that the kept explanations name,
 * and the commits that fit them.
 */
enum cli_exit history_why(const struct history_args *args, const struct history *h);

#endif
