/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation's stacks, put together to a tree. */
#ifndef WS_VIEW_EXPLAIN_TREE_H
#define WS_VIEW_EXPLAIN_TREE_H

#include <stddef.h>
#include <stdint.h>

struct explanation;

struct explain_node {
	const char *name;     /* of the function; NULL for the root of all */
	const char *layer;    /* NULL for that root */
	uint64_t self, total; /* instructions: its own; with those below */
	unsigned int depth;   /* from 0, the root's */
	size_t child, next;   /* the first below, the next beside it; 0: none */
};

/*
 * Node 0 is the root. Below each node stand those that it called, the dearest first. In
 * memory the caller frees; the names are the explanation's. How many.
 */
size_t explain_tree(const struct explanation *e, struct explain_node **nodes);

#endif
