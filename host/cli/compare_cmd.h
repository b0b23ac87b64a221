/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench compare`, in two files: compare.c reads the command line, compare_sides.c the
 * documents of each side, which it pairs by target, judges (host/compare) and prints.
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
	size_t explain_rows; /* 0: the default */
	const char *base_kernel;
};

/* The documents of the paths, each new one with the base; or the runs of two sides. */
enum cli_exit compare_paths(const struct compare_args *args);

/* --aa: runs of one kernel. */
enum cli_exit compare_same(const struct compare_args *args);

#endif
