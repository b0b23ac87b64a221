/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs the functions of two explanations: finds inlined functions, lists the changes. */
#include "host/explain/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/pair_rules.h"

static long long change_of_pair(const struct pair *p)
{
	if (p->kind == PAIR_DEAD)
		return 0;
	return (long long)(p->now ? p->now->insns : 0) -
	       (long long)(p->base ? p->base->insns : 0);
}

static long long change_of_group(const struct pair_work *w, size_t group)
{
	long long sum = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->pairs[i].group == group)
			sum += change_of_pair(&w->pairs[i]);
	return sum;
}

/* The group that calls a function of one explanation; w->n_groups: none. */
static size_t caller_group(const struct pair_work *w, const struct pair *p)
{
	const struct pair_side *s = p->now ? &w->now : &w->base;

	return p->caller ? s->group[p->caller_node] : w->n_groups;
}

/* A function that may have been inlined (sign -1) or split off (+1). */
static bool may_move(const struct pair *p, int sign)
{
	const struct explanation_function *f = p->base ? p->base : p->now;

	return (sign < 0 ? pair_is_gone(p) : pair_is_new(p)) && f->insns >= PAIR_SMALL &&
	       !pair_is_thunk(f->name);
}

/*
 * Whether a function may have been inlined into this one, or split off it: both are
 * compiled together, so they are of one space and one module. Every function calls
 * thunks, and returns through them.
 */
static bool takes_in(const struct pair *caller, const struct pair *p)
{
	const struct explanation_function *f = p->base ? p->base : p->now;
	const struct explanation_function *c = p->base ? caller->base : caller->now;

	return caller->base && caller->now && !pair_is_thunk(caller->now->name) &&
	       !strcmp(c->space, f->space) && pair_same_text(c->module, f->module);
}

/*
 * Marks the pairs that go together: `first` (w->n: every callee of `group`), and what it
 * calls, if that may have moved into `group`, too. Returns the sum of their changes.
 */
static long long mark(const struct pair_work *w, size_t group, size_t first, int sign,
		      bool *marked)
{
	const struct pair *into = &w->pairs[group];
	long long sum = 0;
	bool more = true;
	size_t i;

	memset(marked, 0, w->n * sizeof(*marked));
	if (first < w->n)
		marked[first] = true;
	for (i = 0; first == w->n && i < w->n; i++)
		marked[i] = may_move(&w->pairs[i], sign) &&
			    caller_group(w, &w->pairs[i]) == group &&
			    takes_in(into, &w->pairs[i]);
	while (more) {
		more = false;
		for (i = 0; i < w->n; i++) {
			size_t caller = caller_group(w, &w->pairs[i]);

			if (marked[i] || !may_move(&w->pairs[i], sign) ||
			    caller >= w->n || !marked[caller] ||
			    !takes_in(into, &w->pairs[i]))
				continue;
			marked[i] = more = true;
		}
	}
	for (i = 0; i < w->n; i++)
		sum += marked[i] ? change_of_pair(&w->pairs[i]) : 0;
	return sum;
}

struct guess {
	size_t group;
	double off; /* what does not cancel out, as a share; > PAIR_NEAR_SHARE: no guess
		     */
	bool *marked;
	int sign;
};

/* Keeps the set of functions if it cancels the change of the group best so far. */
static void consider(const struct pair_work *w, size_t group, int sign,
		     const bool *marked, long long sum, struct guess *best)
{
	long long change = change_of_group(w, group), less;
	double off;

	if (!sum || !change || (sum < 0) == (change < 0))
		return;
	less = llabs(sum) < llabs(change) ? llabs(sum) : llabs(change);
	off = (double)llabs(sum + change) / (double)less;
	if (off > PAIR_NEAR_SHARE || off >= best->off)
		return;
	best->group = group;
	best->off = off;
	best->sign = sign;
	memcpy(best->marked, marked, w->n * sizeof(*marked));
}

/* Finds a function whose caller changed by its size. False: none. */
static bool move_one(struct pair_work *w)
{
	bool *marked = pair_allocate(w->n, sizeof(*marked));
	struct guess best = { .off = 2 * PAIR_NEAR_SHARE,
			      .marked = pair_allocate(w->n, sizeof(*marked)) };
	bool found;

	for (size_t i = 0; i < w->n; i++)
		for (int sign = -1; sign <= 1; sign += 2) {
			size_t group = caller_group(w, &w->pairs[i]);
			const struct pair *caller;

			if (!may_move(&w->pairs[i], sign) || group >= w->n)
				continue;
			caller = &w->pairs[group];
			if (!takes_in(caller, &w->pairs[i]))
				continue;
			/* Alone, with what it calls, and with its siblings. */
			memset(marked, 0, w->n * sizeof(*marked));
			marked[i] = true;
			consider(w, group, sign, marked, change_of_pair(&w->pairs[i]),
				 &best);
			consider(w, group, sign, marked, mark(w, group, i, sign, marked),
				 &best);
			consider(w, group, sign, marked,
				 mark(w, group, w->n, sign, marked), &best);
		}
	found = best.off <= PAIR_NEAR_SHARE;
	for (size_t i = 0; found && i < w->n; i++)
		if (best.marked[i]) {
			w->pairs[i].kind = best.sign < 0 ? PAIR_INLINED : PAIR_SPLIT;
			pair_move_group(w, i, best.group);
		}
	free(best.marked);
	free(marked);
	return found;
}

/* "vcpu_run (157) seems inlined": the parts of a group; sizes prove nothing. */
static void print_parts(FILE *f, const struct pair_work *w, size_t group,
			const char **sep)
{
	static const struct {
		enum pair_kind kind;
		const char *word;
	} words[] = { { PAIR_INLINED, "seems inlined" },
		      { PAIR_SPLIT, "seems split off" } };

	for (size_t k = 0; k < 2; k++) {
		bool any = false;

		for (size_t i = 0; i < w->n; i++) {
			const struct pair *p = &w->pairs[i];
			const struct explanation_function *fn =
				p->base ? p->base : p->now;

			if (p->group != group || p->kind != words[k].kind)
				continue;
			fprintf(f, "%s%s (%llu)", any ? ", " : *sep, fn->name,
				(unsigned long long)fn->insns);
			any = true;
			*sep = "; ";
		}
		if (any)
			fprintf(f, " %s", words[k].word);
	}
}

static char *how(const struct pair_work *w, size_t group)
{
	const struct pair *p = &w->pairs[group];
	const char *sep = "";
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	if (!p->base) {
		fprintf(f, "new%s%s", p->caller ? ", called by " : "",
			p->caller ? p->caller : "");
		sep = "; ";
	} else if (!p->now) {
		fprintf(f, "gone%s%s", p->caller ? ", was called by " : "",
			p->caller ? p->caller : "");
		sep = "; ";
	} else if (strcmp(p->base->name, p->now->name) != 0) {
		fprintf(f, "was %s", p->base->name);
		if (p->evidence)
			fprintf(f, " (%s)", p->evidence);
		sep = "; ";
	}
	print_parts(f, w, group, &sep);
	if (fclose(f))
		abort();
	if (!*text) {
		free(text);
		text = NULL;
	}
	return text;
}

static int by_change(const void *a, const void *b)
{
	const struct explain_change *x = a, *y = b;
	long long dx = llabs(x->change), dy = llabs(y->change);

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	if (x->change != y->change)
		return (x->change < y->change) - (x->change > y->change);
	return strcmp(x->name, y->name);
}

static size_t collect(const struct pair_work *w, struct explain_change **out)
{
	struct explain_change *list = pair_allocate(w->n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct pair *p = &w->pairs[i];
		const struct explanation_function *f = p->now ? p->now : p->base;
		struct explain_change *c;

		if (p->kind == PAIR_DEAD || p->group != i)
			continue;
		c = &list[n++];
		c->name = f->name;
		c->space = f->space;
		c->module = f->module;
		c->layer = f->layer;
		for (size_t k = 0; k < w->n; k++) {
			const struct pair *part = &w->pairs[k];

			if (part->group != i || part->kind == PAIR_DEAD)
				continue;
			c->paired |= part->kind != PAIR_NAMED;
			c->base += part->base ? part->base->insns : 0;
			c->now += part->now ? part->now->insns : 0;
		}
		c->change = (long long)c->now - (long long)c->base;
		c->how = how(w, i);
	}
	qsort(list, n, sizeof(*list), by_change);
	*out = list;
	return n;
}

void pair_open(struct pair_work *w, const struct explanation *base,
	       const struct explanation *now)
{
	*w = (struct pair_work){ .pairs = NULL };
	pair_side_open(&w->base, base);
	pair_side_open(&w->now, now);
	pair_by_name(w);
	pair_group_functions(w);
	/* Sizes alone come last: a function that was inlined must not become a rename. */
	do {
		while (pair_rename_all(w, PAIR_BY_LIKENESS))
			;
	} while (move_one(w));
	while (pair_rename_all(w, PAIR_BY_SIZE))
		;
}

void pair_close(struct pair_work *w)
{
	free(w->pairs);
	pair_side_close(&w->base);
	pair_side_close(&w->now);
}

size_t explain_changes(const struct explanation *base, const struct explanation *now,
		       struct explain_change **out)
{
	struct pair_work w;
	size_t n;

	pair_open(&w, base, now);
	n = collect(&w, out);
	pair_close(&w);
	return n;
}

void explain_changes_free(struct explain_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(changes[i].how);
	free(changes);
}
