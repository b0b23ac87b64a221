/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names the user typed, against the names that exist: comma lists, globs, and the
 * nearest name when nothing fits.
 */
#ifndef WS_CLI_NAMES_H
#define WS_CLI_NAMES_H

#include <stddef.h>

#include "host/lib/error.h"

struct bench;
struct config;
struct target;

/* Names that live in the tables; `names` is the list's own. names_free(). */
struct names_list {
	const char **names;
	size_t n;
};
void names_free(struct names_list *list);

/*
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions,
 * substitutions and swaps of neighbours.
 */
size_t names_distance(const char *a, const char *b);

/*
 * The one of `n` names that `word` was probably meant to be: the first of the
 * smallest distance, if that is at most max(1, length of word / 3). Else NULL.
 */
const char *names_nearest(const char *word, const char *const *names, size_t n);

/*
 * Names that a comma list of names and fnmatch(3) globs stands for, in the order
 * given (a glob's in the table's order), each once. `what` ("benchmark") is for the
 * message. 0; -EINVAL with `err` filled in where an entry is empty or matches
 * nothing. Empties `list` first; the caller frees it after success.
 */
int names_match(const char *what, const char *patterns, const char *const *names,
		size_t n, struct names_list *list, struct error *err);

/*
 * The same over bench_table, config_table and target_table. In a list of
 * benchmarks the word "core" stands for those of BENCH_CORE.
 */
int names_match_benches(const char *patterns, struct names_list *list, struct error *err);
int names_match_configs(const char *patterns, struct names_list *list, struct error *err);
/* Here "all" stands for every target. */
int names_match_targets(const char *patterns, struct names_list *list, struct error *err);

/* The row of a name, or NULL. */
const struct bench *names_bench(const char *id);
const struct config *names_config(const char *name);
const struct target *names_target(const char *name);

#endif
