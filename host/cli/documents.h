/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents and history files of the command line. */
#ifndef WS_CLI_DOCUMENTS_H
#define WS_CLI_DOCUMENTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct explanation;
struct result;

struct documents {
	struct result **docs;
	size_t n;
};

/*
 * Reads `n` files. A folder is the result documents in it, by their names. False after a
 * message: a file cannot be read, or a folder has none; nothing to free.
 */
bool documents_read(struct documents *d, const char *const *paths, size_t n);
void documents_free(struct documents *d);

/* Sorts by the order of `wsbench list targets`; those of one target stay as they are. */
void documents_order(struct documents *d);

/*
 * Reads the explanations in `paths`, also in folders, and removes them from `paths`, `*n`
 * entries; a folder that holds anything else stays. Errors as documents_read().
 */
struct explanations {
	struct explanation **docs;
	size_t n;
};
bool documents_explanations(struct explanations *e, const char **paths, size_t *n);
void documents_explanations_free(struct explanations *e);

/*
 * Reads a history file and finds the changes. False after a message: the file cannot be
 * read or has no figures; nothing to free.
 */
struct history;
struct history_query;
bool documents_history(struct history *h, const char *path);

/* Whether the tables have the names of a query that selected nothing; else false with
 * `err`. */
bool documents_know_names(const struct history_query *q, struct error *err);

/*
 * FOLDER/lab-aarch64-vhe.json, by the document's target: colons do not travel well in
 * file names. free() it.
 */
char *documents_path(const char *folder, const struct result *r);

/* The value of a long option in the words of a command line; NULL: not given. */
const char *documents_option(const char *const *argv, size_t n, const char *option);

/* Creates a folder and those above it. 0, or a negative errno with `err`. */
int documents_make_folder(const char *path, struct error *err);
/* Whether `path` is a folder that can be written; else false with errno. */
bool documents_folder_is_writable(const char *path);
/* Whether the file can be written, before it is: by its folder. 0, or a negative errno.
 */
int documents_check_output(const char *path, struct error *err);

/*
 * Named baselines: documents in $WORLDSWITCH_CACHE/baselines/NAME, one per target. A name
 * has letters, digits and . _ + -, and does not begin with . or -.
 */
bool baseline_is_name(const char *name);
/* The folder of a baseline. False: there is none of this name. */
bool baseline_find(const char *name, char path[PATH_MAX]);
/* Adds a document, or replaces that of its target. 0, or a negative errno with `err`. */
int baseline_save(const char *name, const struct result *r, struct error *err);
/* All baselines, sorted by name. */
void baseline_list(void (*each)(void *ctx, const char *name, const char *folder),
		   void *ctx);
/* The message that a baseline is not there. */
void baseline_unknown(const char *command, const char *name);

/* Splits "a,b,c" in place. The words, for free(); *n: their number. */
const char **documents_words(char *list, size_t *n);

#endif
