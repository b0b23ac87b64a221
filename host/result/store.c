/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of one document. Each block is a malloc() of its own on a list, so that the
 * sanitizers know its bounds.
 */
#include "host/result/store.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	alignas(max_align_t) unsigned char data[];
};

struct result_store {
	struct block *blocks;
};

void *store_check(void *allocated)
{
	if (!allocated) {
		fputs("wsbench: out of memory\n", stderr);
		abort();
	}
	return allocated;
}

struct result_store *store_new(void)
{
	return store_check(calloc(1, sizeof(struct result_store)));
}

void store_free(struct result_store *store)
{
	struct block *next;

	for (struct block *b = store->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(store);
}

void *store_alloc(struct result_store *store, size_t bytes)
{
	struct block *b = NULL;

	if (bytes <= SIZE_MAX - sizeof(*b))
		b = malloc(sizeof(*b) + bytes);
	store_check(b);
	b->next = store->blocks;
	store->blocks = b;
	return b->data;
}

/* Capacities are powers of two: an array is full if its count is a power of two. */
void *store_array(struct result_store *store, size_t n, size_t bytes)
{
	size_t room = 1;

	while (room < n)
		room *= 2;
	return store_alloc(store, room * bytes);
}

void *store_grow(struct result_store *store, void *array, size_t n, size_t bytes)
{
	void *wider;

	if (n & (n - 1))
		return array;
	wider = store_array(store, n + 1, bytes);
	if (n)
		memcpy(wider, array, n * bytes);
	return wider;
}
