/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of one document: allocated piece by piece, freed all at once. */
#ifndef WS_RESULT_STORE_H
#define WS_RESULT_STORE_H

#include <stddef.h>

struct result_store;

/* These abort the process on lack of memory. */
struct result_store *store_new(void);
void store_free(struct result_store *store);
void *store_alloc(struct result_store *store, size_t bytes);

/*
 * An array of `n` elements of `bytes`, uninitialised, for store_grow() to grow;
 * and such an array, or NULL and 0, with room for one element more. The old
 * place of an array that had to move stays allocated.
 */
void *store_array(struct result_store *store, size_t n, size_t bytes);
void *store_grow(struct result_store *store, void *array, size_t n, size_t bytes);

/* For memory that a caller frees itself: never NULL. */
void *store_check(void *allocated);

#endif
