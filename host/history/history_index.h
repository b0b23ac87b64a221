/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers by tuples of names, each kept once. For history*.c. */
#ifndef WS_CLAIM_HISTORY_INDEX_H
#define WS_CLAIM_HISTORY_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_KEY 6

/* Strings of one row_names, compared as pointers; or numbers. */
struct history_key {
	uintptr_t part[HISTORY_KEY];
};

struct history_index {
	struct history_slot *slots;
	size_t room, n;
};

/* The number of a key; a key that is new gets the next, from 0. Aborts. */
size_t history_index_get(struct history_index *index, const struct history_key *key);
void history_index_free(struct history_index *index);

#endif
