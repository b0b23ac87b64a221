/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers by tuples of names: open addressing. */
#include "host/history/history_index.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256u

struct history_slot {
	struct history_key key;
	size_t number; /* from 1; 0: free */
};

static struct history_slot *slot(const struct history_index *index,
				 const struct history_key *key)
{
	uint64_t hash = 0;
	size_t at;

	for (size_t i = 0; i < HISTORY_KEY; i++)
		hash = (hash ^ key->part[i]) * 0x9e3779b97f4a7c15ull; /* 2^64 / phi */
	at = (size_t)(hash >> 32) & (index->room - 1);
	while (index->slots[at].number &&
	       memcmp(&index->slots[at].key, key, sizeof(*key)) != 0)
		at = (at + 1) & (index->room - 1);
	return &index->slots[at];
}

static void widen(struct history_index *index)
{
	struct history_slot *old = index->slots;
	size_t room = index->room;

	index->room = room ? 2 * room : ROOM_FIRST;
	index->slots = calloc(index->room, sizeof(*index->slots));
	if (!index->slots)
		abort();
	for (size_t i = 0; i < room; i++)
		if (old[i].number)
			*slot(index, &old[i].key) = old[i];
	free(old);
}

size_t history_index_get(struct history_index *index, const struct history_key *key)
{
	struct history_slot *found;

	if (2 * index->n >= index->room)
		widen(index);
	found = slot(index, key);
	if (!found->number)
		*found = (struct history_slot){ *key, ++index->n };
	return found->number - 1;
}

void history_index_free(struct history_index *index)
{
	free(index->slots);
	*index = (struct history_index){ 0 };
}
