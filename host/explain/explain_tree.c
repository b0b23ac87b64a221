/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From stacks to a tree. */
#include "host/explain/explain_tree.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"

struct tree {
	const struct explanation *e;
	struct explain_node *nodes;
	size_t n;
};

/* Frames carry names alone: the first function that is called so lends its layer. */
static const char *layer_of(const struct explanation *e, const char *name)
{
	for (size_t i = 0; i < e->n_functions; i++)
		if (!strcmp(e->functions[i].name, name))
			return e->functions[i].layer;
	/* It called others, and has no instructions of its own within the event. */
	return "";
}

static size_t below(struct tree *t, size_t parent, const char *name)
{
	size_t *link = &t->nodes[parent].child;

	while (*link && strcmp(t->nodes[*link].name, name))
		link = &t->nodes[*link].next;
	if (!*link) {
		t->nodes[t->n] = (struct explain_node){
			.name = name,
			.layer = layer_of(t->e, name),
			.depth = t->nodes[parent].depth + 1,
		};
		*link = t->n++;
	}
	return *link;
}

static void add(struct tree *t, const struct explanation_stack *s)
{
	size_t node = 0;

	t->nodes[0].total += s->insns;
	for (size_t i = 0; i < s->n_frames; i++) {
		node = below(t, node, s->frames[i]);
		t->nodes[node].total += s->insns;
	}
	t->nodes[node].self += s->insns;
}

/* Puts the nodes of one list into the order of their totals. */
static size_t sorted(struct tree *t, size_t list)
{
	size_t head = 0, next;

	for (; list; list = next) {
		size_t *link = &head;

		next = t->nodes[list].next;
		while (*link && t->nodes[*link].total >= t->nodes[list].total)
			link = &t->nodes[*link].next;
		t->nodes[list].next = *link;
		*link = list;
	}
	return head;
}

size_t explain_tree(const struct explanation *e, struct explain_node **nodes)
{
	struct tree t = { .e = e };
	size_t most = 1;

	for (size_t i = 0; i < e->n_stacks; i++)
		most += e->stacks[i].n_frames;
	t.nodes = calloc(most, sizeof(*t.nodes));
	if (!t.nodes)
		abort();
	t.n = 1;
	for (size_t i = 0; i < e->n_stacks; i++)
		add(&t, &e->stacks[i]);
	for (size_t i = 0; i < t.n; i++)
		t.nodes[i].child = sorted(&t, t.nodes[i].child);
	*nodes = t.nodes;
	return t.n;
}
