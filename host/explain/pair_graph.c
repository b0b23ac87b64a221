/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call graphs of two explanations, functions paired by name, and groups of pairs. */
#include "host/explain/pair_rules.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/pair.h"

void *pair_allocate(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

size_t pair_node(const struct pair_side *s, const char *name)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->names[i], name) != 0)
		i++;
	return i;
}

void pair_side_open(struct pair_side *s, const struct explanation *e)
{
	size_t room = e->n_functions, i, k;

	for (i = 0; i < e->n_stacks; i++)
		room += e->stacks[i].n_frames;
	*s = (struct pair_side){ .e = e,
				 .names = pair_allocate(room, sizeof(*s->names)) };
	for (i = 0; i < e->n_functions; i++)
		s->names[s->n++] = e->functions[i].name;
	for (i = 0; i < e->n_stacks; i++)
		for (k = 0; k < e->stacks[i].n_frames; k++)
			if (pair_node(s, e->stacks[i].frames[k]) == s->n)
				s->names[s->n++] = e->stacks[i].frames[k];
	s->group = pair_allocate(s->n, sizeof(*s->group));
	s->calls = pair_allocate(s->n * s->n, sizeof(*s->calls));
	for (i = 0; i < e->n_stacks; i++)
		for (k = 1; k < e->stacks[i].n_frames; k++)
			s->calls[pair_node(s, e->stacks[i].frames[k - 1]) * s->n +
				 pair_node(s, e->stacks[i].frames[k])] = true;
}

void pair_side_close(struct pair_side *s)
{
	free(s->names);
	free(s->group);
	free(s->calls);
}

size_t pair_function_node(const struct pair_side *s, const struct explanation_function *f)
{
	return (size_t)(f - s->e->functions);
}

/* The caller in the stack with most instructions; NULL: the function has no caller. */
static const char *caller_of(const struct explanation *e, const char *name)
{
	const char *caller = NULL;
	uint64_t most = 0;
	size_t i, k;

	for (i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		for (k = 1; k < s->n_frames; k++)
			if (!strcmp(s->frames[k], name) && s->insns >= most) {
				most = s->insns;
				caller = s->frames[k - 1];
			}
	}
	return caller;
}

static bool is_host(const struct explanation_function *f)
{
	return strcmp(f->space, "guest") != 0 && strcmp(f->space, "user") != 0;
}

bool pair_same_space(const struct explanation_function *a,
		     const struct explanation_function *b)
{
	return is_host(a) == is_host(b) && (is_host(a) || !strcmp(a->space, b->space));
}

/* First with `exactly`: otherwise a part could be matched with the whole function. */
static void pair_up_by(struct pair_work *w, bool *taken, bool exactly)
{
	const struct explanation *base = w->base.e;
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; !w->pairs[i].base && k < base->n_functions; k++) {
			const struct explanation_function *f = &base->functions[k];
			const struct explanation_function *now = w->pairs[i].now;

			if (taken[k] || !pair_same_space(f, now) ||
			    !explain_same_name(f->name, now->name) ||
			    (exactly && strcmp(f->name, now->name)))
				continue;
			w->pairs[i].base = f;
			taken[k] = true;
		}
}

void pair_by_name(struct pair_work *w)
{
	const struct explanation *base = w->base.e, *now = w->now.e;
	bool *taken = pair_allocate(base->n_functions, sizeof(*taken));
	size_t i;

	w->pairs = pair_allocate(base->n_functions + now->n_functions, sizeof(*w->pairs));
	w->n = now->n_functions;
	for (i = 0; i < w->n; i++)
		w->pairs[i].now = &now->functions[i];
	pair_up_by(w, taken, true);
	pair_up_by(w, taken, false);
	for (i = 0; i < base->n_functions; i++)
		if (!taken[i])
			w->pairs[w->n++].base = &base->functions[i];
	free(taken);
}

/* The groups of frames without instructions: one group for one name. */
static void group_frames(struct pair_work *w)
{
	struct pair_side *base = &w->base, *now = &w->now;
	size_t i, k;

	for (i = base->e->n_functions; i < base->n; i++)
		base->group[i] = w->n_groups++;
	for (i = now->e->n_functions; i < now->n; i++) {
		for (k = 0; k < base->n; k++)
			if (explain_same_name(base->names[k], now->names[i]))
				break;
		now->group[i] = k < base->n ? base->group[k] : w->n_groups++;
	}
}

static void find_caller(const struct pair_work *w, struct pair *p)
{
	const struct pair_side *s = p->now ? &w->now : &w->base;

	p->caller = caller_of(s->e, p->now ? p->now->name : p->base->name);
	if (p->caller)
		p->caller_node = pair_node(s, p->caller);
}

void pair_group_functions(struct pair_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pair *p = &w->pairs[i];

		p->group = i;
		find_caller(w, p);
		if (p->base)
			w->base.group[pair_function_node(&w->base, p->base)] = i;
		if (p->now)
			w->now.group[pair_function_node(&w->now, p->now)] = i;
	}
	w->n_groups = w->n;
	group_frames(w);
}

void pair_move_group(struct pair_work *w, size_t from, size_t to)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->pairs[i].group == from)
			w->pairs[i].group = to;
	for (i = 0; i < w->base.n; i++)
		if (w->base.group[i] == from)
			w->base.group[i] = to;
	for (i = 0; i < w->now.n; i++)
		if (w->now.group[i] == from)
			w->now.group[i] = to;
}

bool pair_is_gone(const struct pair *p)
{
	return p->kind == PAIR_NAMED && p->base && !p->now;
}

bool pair_is_new(const struct pair *p)
{
	return p->kind == PAIR_NAMED && p->now && !p->base;
}
