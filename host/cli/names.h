/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matches names on the command line against the tables: comma lists, globs, and the
 * nearest name where nothing matches.
 */
#ifndef WS_CLI_NAMES_H
#define WS_CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"

struct bench;
struct config;
struct target;

/* Pointers to names of the tables. The array belongs to the list: names_free(). */
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
 * Of `n` names the first that begins with `word`, which has at least two letters; else
 * the first with the smallest distance, if the distance is at most max(1, length of word
 * / 3). Else NULL.
 */
const char *names_nearest(const char *word, const char *const *names, size_t n);

/*
 * "'a', 'b'": at most three names that begin with the word, else that contain it, else
 * the nearest one; empty: none is near.
 */
#define NAMES_NEAR_BYTES 256
void names_near(const char *word, const char *const *names, size_t n,
		char text[NAMES_NEAR_BYTES]);

/*
 * Resolve a comma list of names and fnmatch(3) globs to names of bench_table,
 * config_table or target_table, each once, in the order of the list (matches of a glob in
 * the order of the table). 0, or -EINVAL with `err` where an entry is empty or matches
 * nothing. Clear `list` first; after success the caller frees the list. In a list of
 * benchmarks the word "core" selects those of BENCH_CORE.
 */
int names_match_benches(const char *patterns, struct names_list *list, struct error *err);
int names_match_configs(const char *patterns, struct names_list *list, struct error *err);
/* "all" and patterns do not select a target that is `named_only`. */
int names_match_targets(const char *patterns, struct names_list *list, struct error *err);

/* Whether `name` is an entry of the list, not only a match of a pattern. */
bool names_is_listed(const char *patterns, const char *name);

/* The row of a name, or NULL. */
const struct bench *names_bench(const char *id);
const struct config *names_config(const char *name);
const struct target *names_target(const char *name);

#endif
