/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of one document: allocated piece by piece, freed all at once. */
#ifndef WS_RESULT_STORE_H
#define WS_RESULT_STORE_H

#include <stddef.h>

struct result_store;

/* These functions abort if out of memory. */
struct result_store *store_new(void);
void store_free(struct result_store *store);
void *store_alloc(struct result_store *store, size_t bytes);

/*
 * store_array(): an uninitialised array of `n` elements of `bytes`. store_grow(): such an
 * array, or NULL and 0, with room for one more element. The old memory of an array that
 * moves stays allocated.
 */
void *store_array(struct result_store *store, size_t n, size_t bytes);
void *store_grow(struct result_store *store, void *array, size_t n, size_t bytes);

/* Returns `allocated`; aborts if NULL. */
void *store_check(void *allocated);

#endif
