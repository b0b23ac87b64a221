/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of an explanation: its functions by layer, its stacks as a tree. */
#include "host/explain/explain_text.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"

static int by_insns(const void *a, const void *b)
{
	const struct explain_layer *x = a, *y = b;

	if (x->insns != y->insns)
		return (x->insns < y->insns) - (x->insns > y->insns);
	return strcmp(x->name, y->name);
}

size_t explain_layers(const struct explanation *e, struct explain_layer **layers)
{
	struct explain_layer *list = calloc(e->n_functions + 1, sizeof(*list));
	size_t n = 0, i, k;

	if (!list)
		abort();
	for (i = 0; i < e->n_functions; i++) {
		for (k = 0; k < n && strcmp(list[k].name, e->functions[i].layer); k++)
			;
		if (k == n)
			list[n++].name = e->functions[i].layer;
		list[k].insns += e->functions[i].insns;
	}
	qsort(list, n, sizeof(*list), by_insns);
	*layers = list;
	return n;
}

struct tree {
	const struct explanation *e;
	struct explain_node *nodes;
	size_t n;
};

/* The layer of the first function that the frame can be of. */
static const char *layer_of(const struct explanation *e,
			    const struct explanation_frame *frame)
{
	for (size_t i = 0; i < e->n_functions; i++) {
		struct explanation_frame f = explanation_frame_of(&e->functions[i]);

		if (explanation_frame_is(&f, frame))
			return e->functions[i].layer;
	}
	/* No instructions of its own within the event. */
	return "";
}

static bool is_frame(const struct explain_node *node,
		     const struct explanation_frame *frame)
{
	const struct explanation_frame is = { node->name, node->space, node->module };

	return explanation_frame_is(&is, frame);
}

static size_t below(struct tree *t, size_t parent, const struct explanation_frame *frame)
{
	size_t *link = &t->nodes[parent].child;

	while (*link && !is_frame(&t->nodes[*link], frame))
		link = &t->nodes[*link].next;
	if (!*link) {
		t->nodes[t->n] = (struct explain_node){
			.name = frame->name,
			.space = frame->space,
			.module = frame->module,
			.layer = layer_of(t->e, frame),
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
		const struct explanation_frame frame = explanation_frame(s, i);

		node = below(t, node, &frame);
		t->nodes[node].total += s->insns;
	}
	t->nodes[node].self += s->insns;
}

/* Sorts a list of siblings by their totals. */
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
