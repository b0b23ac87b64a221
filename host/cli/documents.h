/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Result documents named on a command line: all of them, or a line and none. */
#ifndef WS_CLI_DOCUMENTS_H
#define WS_CLI_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

struct explanation;
struct result;

struct documents {
	struct result **docs;
	size_t n;
};

/*
 * Reads `n` files. False, after one message for the first that cannot be read; then
 * there is nothing to free. Aborts on lack of memory.
 */
bool documents_read(struct documents *d, const char *const *paths, size_t n);
void documents_free(struct documents *d);

/*
 * Takes the explanations out of `paths`, `*n` of them, and reads them. As
 * documents_read().
 */
struct explanations {
	struct explanation **docs;
	size_t n;
};
bool documents_explanations(struct explanations *e, const char **paths, size_t *n);
void documents_explanations_free(struct explanations *e);

/*
 * Reads a history and finds its changes. False, after one message, where it cannot be
 * read or holds no figures; then there is nothing to free.
 */
struct history;
bool documents_history(struct history *h, const char *path);

/* Splits "a,b,c" in place: its words, for free(), their number in *n. */
const char **documents_words(char *list, size_t *n);

#endif
