/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of `wsbench history`. */
#ifndef WS_CLI_HISTORY_H
#define WS_CLI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/history/history.h"
#include "host/cli/cmd.h"
#include "host/cli/gate.h"
#include "host/cli/options.h"

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
