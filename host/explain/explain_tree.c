/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums of an explanation: its functions by layer, its stacks as a tree; and the stacks of
 * two explanations as one tree.
 */
#include "host/explain/explain_text.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/pair.h"

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

/* `owner`: the function that the frame is inlined in; NULL: it is a function itself. */
static size_t below(struct tree *t, size_t parent, const struct explanation_frame *frame,
		    const struct explanation_frame *owner)
{
	size_t *link = &t->nodes[parent].child;

	while (*link && (!is_frame(&t->nodes[*link], frame) ||
			 t->nodes[*link].is_inlined != (owner != NULL)))
		link = &t->nodes[*link].next;
	if (!*link) {
		t->nodes[t->n] = (struct explain_node){
			.name = frame->name,
			.space = frame->space,
			.module = frame->module,
			.layer = layer_of(t->e, owner ? owner : frame),
			.is_inlined = owner != NULL,
			.depth = t->nodes[parent].depth + 1,
		};
		*link = t->n++;
	}
	return *link;
}

/* Frame `k` of a stack at a location (NULL: unknown), and what is inlined there. */
static size_t below_location(struct tree *t, size_t node,
			     const struct explanation_stack *s, size_t k,
			     const struct explanation_location *l, uint64_t insns)
{
	const struct explanation_frame owner = explanation_frame(s, k);
	struct explanation_frame inlined = owner;

	node = below(t, node, &owner, NULL);
	t->nodes[node].total += insns;
	for (size_t i = 1; l && i < l->n_sources; i++) {
		inlined.name = l->sources[i].function;
		node = below(t, node, &inlined, &owner);
		t->nodes[node].total += insns;
	}
	return node;
}

static const struct explanation_location *
site_of(const struct explanation *e, const struct explanation_stack *s, size_t k)
{
	return s->n_sites && s->sites[k].location >= 0
		       ? &e->locations[s->sites[k].location]
		       : NULL;
}

static void add_inlined(struct tree *t, const struct explanation_stack *s)
{
	size_t caller = 0, node;

	t->nodes[0].total += s->insns;
	for (size_t k = 0; k + 1 < s->n_frames; k++)
		caller = below_location(t, caller, s, k, site_of(t->e, s, k), s->insns);
	for (size_t i = 0; i < s->n_instructions && s->n_frames; i++) {
		const struct explanation_insn *insn = &s->instructions[i];

		node = below_location(t, caller, s, s->n_frames - 1,
				      &t->e->locations[insn->location], insn->insns);
		t->nodes[node].self += insn->insns;
	}
}

static size_t n_sources(const struct explanation_location *location)
{
	return location ? location->n_sources : 0;
}

/* Nodes that add_inlined() can make. */
static size_t count_inlined(const struct explanation *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		for (size_t k = 0; k + 1 < s->n_frames; k++)
			n += 1 + n_sources(site_of(e, s, k));
		for (size_t k = 0; k < s->n_instructions; k++)
			n += 1 + e->locations[s->instructions[k].location].n_sources;
	}
	return n;
}

static void add(struct tree *t, const struct explanation_stack *s)
{
	size_t node = 0;

	t->nodes[0].total += s->insns;
	for (size_t i = 0; i < s->n_frames; i++) {
		const struct explanation_frame frame = explanation_frame(s, i);

		node = below(t, node, &frame, NULL);
		t->nodes[node].total += s->insns;
	}
	t->nodes[node].self += s->insns;
}

/* Sorts a list of siblings by their widths. */
static size_t sorted(struct tree *t, size_t list)
{
	size_t head = 0, next;

	for (; list; list = next) {
		size_t *link = &head;

		next = t->nodes[list].next;
		while (*link && t->nodes[*link].width >= t->nodes[list].width)
			link = &t->nodes[*link].next;
		t->nodes[list].next = *link;
		*link = list;
	}
	return head;
}

static size_t count_frames(const struct explanation *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_stacks; i++)
		n += e->stacks[i].n_frames;
	return n;
}

size_t explain_tree(const struct explanation *e, bool inlined,
		    struct explain_node **nodes)
{
	struct tree t = { .e = e };

	inlined = inlined && explanation_has_lines(e);
	t.nodes = pair_allocate(inlined ? count_inlined(e) : count_frames(e),
				sizeof(*t.nodes));
	t.n = 1;
	for (size_t i = 0; i < e->n_stacks; i++)
		if (inlined)
			add_inlined(&t, &e->stacks[i]);
		else
			add(&t, &e->stacks[i]);
	for (size_t i = 0; i < t.n; i++)
		t.nodes[i].width = t.nodes[i].total;
	for (size_t i = 0; i < t.n; i++)
		t.nodes[i].child = sorted(&t, t.nodes[i].child);
	*nodes = t.nodes;
	return t.n;
}

/* ------------------------------ of two explanations ------------------------------ */

struct both {
	struct pair_work w;
	struct tree tree;
	size_t *group; /* of each node of the tree */
};

/* Whether a function was inlined into, or split off, the function of its group. */
static bool has_moved(const struct pair_work *w, const struct pair_side *s, size_t node)
{
	for (size_t i = 0; i < w->n && node < s->e->n_functions; i++) {
		const struct pair *p = &w->pairs[i];
		const struct explanation_function *f = s == &w->base ? p->base : p->now;

		if (f == &s->e->functions[node] &&
		    (p->kind == PAIR_INLINED || p->kind == PAIR_SPLIT))
			return true;
	}
	return false;
}

/* The node below `parent` of a frame of one side, created if there is none. */
static size_t below_both(struct both *b, size_t parent, const struct pair_side *s,
			 size_t frame)
{
	struct tree *t = &b->tree;
	size_t *link = &t->nodes[parent].child;
	struct explain_node *node;

	while (*link && b->group[*link] != s->group[frame])
		link = &t->nodes[*link].next;
	if (!*link) {
		*link = t->n++;
		b->group[*link] = s->group[frame];
	}
	node = &t->nodes[*link];
	/* The base is first: a function of both has its present name and layer. */
	node->name = s->nodes[frame].name;
	node->space = s->nodes[frame].space;
	node->module = s->nodes[frame].module;
	node->layer = layer_of(s->e, &s->nodes[frame]);
	node->depth = t->nodes[parent].depth + 1;
	return *link;
}

static void add_side(struct both *b, const struct pair_side *s)
{
	struct explain_node *nodes = b->tree.nodes;
	bool base = s == &b->w.base;
	size_t at = 0;

	for (size_t i = 0; i < s->e->n_stacks; i++) {
		const struct explanation_stack *stack = &s->e->stacks[i];
		size_t node = 0;

		*(base ? &nodes[0].base_total : &nodes[0].total) += stack->insns;
		for (size_t k = 0; k < stack->n_frames; k++, at++) {
			size_t frame = s->stacks[at];

			if (node && b->group[node] == s->group[frame] &&
			    has_moved(&b->w, s, frame))
				continue;
			/* A return through a thunk, which the walk takes for a call. */
			if (k + 1 < stack->n_frames &&
			    pair_is_thunk(s->nodes[frame].name))
				continue;
			node = below_both(b, node, s, frame);
			*(base ? &nodes[node].base_total : &nodes[node].total) +=
				stack->insns;
		}
		*(base ? &nodes[node].base_self : &nodes[node].self) += stack->insns;
	}
}

size_t explain_tree_of_both(const struct explanation *base, const struct explanation *e,
			    struct explain_node **nodes)
{
	size_t most = count_frames(base) + count_frames(e);
	struct both b = { .tree = { .e = e, .n = 1 } };
	struct tree *t = &b.tree;

	pair_open(&b.w, base, e);
	t->nodes = pair_allocate(most, sizeof(*t->nodes));
	b.group = pair_allocate(most, sizeof(*b.group));
	add_side(&b, &b.w.base);
	add_side(&b, &b.w.now);
	/* A node is created before those below it. */
	for (size_t i = t->n; i-- > 0;) {
		struct explain_node *n = &t->nodes[i];

		n->width = n->self > n->base_self ? n->self : n->base_self;
		for (size_t c = n->child; c; c = t->nodes[c].next)
			n->width += t->nodes[c].width;
	}
	for (size_t i = 0; i < t->n; i++)
		t->nodes[i].child = sorted(t, t->nodes[i].child);
	free(b.group);
	pair_close(&b.w);
	*nodes = t->nodes;
	return t->n;
}
