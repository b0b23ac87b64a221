/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench compare`: compare.c reads the command line; compare_sides.c reads the
 * documents of each side, pairs them by target, judges (host/compare) and prints;
 * compare_aa.c is
 * --aa, compare_why.c is --explain.
 */
#ifndef WS_CLI_COMPARE_CMD_H
#define WS_CLI_COMPARE_CMD_H

#include "host/cli/cmd.h"
#include "host/cli/compare_why.h"
#include "host/cli/gate.h"
#include "host/cli/options.h"
#include "host/compare/compare.h"

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

#endif
