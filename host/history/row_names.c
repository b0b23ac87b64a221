/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings kept once each: a hash table with open addressing. */
#include <stdlib.h>
#include <string.h>

#include "host/history/row.h"
#include "host/result/store.h"

#define ROOM_FIRST 256u

struct row_names {
	struct result_store *store;
	const char **slots; /* NULL: free */
	size_t room;	    /* a power of two */
	size_t n;
};

/* FNV-1a: short strings, no adversary worth the name. */
static size_t hash(const char *text, size_t bytes)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return (size_t)(h ^ h >> 32);
}

static const char **slot(const struct row_names *names, const char *text, size_t bytes)
{
	size_t at = hash(text, bytes) & (names->room - 1);

	while (names->slots[at] && (strncmp(names->slots[at], text, bytes) ||
				    names->slots[at][bytes] != '\0'))
		at = (at + 1) & (names->room - 1);
	return &names->slots[at];
}

static void widen(struct row_names *names)
{
	const char **old = names->slots;
	size_t room = names->room;

	names->room = room ? 2 * room : ROOM_FIRST;
	names->slots = store_check(calloc(names->room, sizeof(*names->slots)));
	for (size_t i = 0; i < room; i++)
		if (old[i])
			*slot(names, old[i], strlen(old[i])) = old[i];
	free(old);
}

struct row_names *row_names_new(void)
{
	struct row_names *names = store_check(calloc(1, sizeof(*names)));

	names->store = store_new();
	return names;
}

void row_names_free(struct row_names *names)
{
	if (!names)
		return;
	store_free(names->store);
	free(names->slots);
	free(names);
}

const char *row_names_get(struct row_names *names, const char *text, size_t bytes)
{
	const char **found;
	char *copy;

	if (2 * names->n >= names->room)
		widen(names);
	found = slot(names, text, bytes);
	if (!*found) {
		copy = store_alloc(names->store, bytes + 1);
		memcpy(copy, text, bytes);
		copy[bytes] = '\0';
		names->n++;
		*found = copy;
	}
	return *found;
}
