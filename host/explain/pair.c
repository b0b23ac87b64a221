/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs the functions of two explanations: renamed, inlined, split off; lists the
 * changes. */
#include "host/explain/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------ renamed ------------------------------ */

/* A rename that only sizes show: of functions of this size, equal to 5 %. */
#define LARGE	    20
#define EQUAL_SHARE 0.05

/* Whether a function is in one explanation alone, and not yet explained. */
static bool is_gone(const struct pair *p)
{
	return p->kind == PAIR_NAMED && p->base && !p->now;
}

static bool is_new(const struct pair *p)
{
	return p->kind == PAIR_NAMED && p->now && !p->base;
}

/* Whether functions of one group call both. */
static bool share_caller(const struct pair_work *w, size_t a, size_t b)
{
	const struct pair_side *base = &w->base, *now = &w->now;

	for (size_t i = 0; i < base->n; i++)
		for (size_t k = 0; base->calls[i * base->n + a] && k < now->n; k++)
			if (now->calls[k * now->n + b] && now->group[k] == base->group[i])
				return true;
	return false;
}

/* The share of callees, by their groups, that both call; every function calls thunks. */
static double callee_likeness(const struct pair_work *w, size_t a, size_t b)
{
	const struct pair_side *base = &w->base, *now = &w->now;
	size_t in_a = 0, in_b = 0, common = 0, i, k;

	for (k = 0; k < now->n; k++)
		in_b += now->calls[b * now->n + k] && !pair_is_thunk(now->nodes[k].name);
	for (i = 0; i < base->n; i++) {
		if (!base->calls[a * base->n + i] || pair_is_thunk(base->nodes[i].name))
			continue;
		in_a++;
		for (k = 0; k < now->n; k++)
			if (now->calls[b * now->n + k] && now->group[k] == base->group[i])
				break;
		common += k < now->n;
	}
	return common ? (double)common / (double)(in_a + in_b - common) : 0;
}

static bool calls_any(const struct pair_side *s, size_t node)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->calls[node * s->n + i] && !pair_is_thunk(s->nodes[i].name))
			return true;
	return false;
}

static bool is_near(uint64_t a, uint64_t b, double share, uint64_t insns)
{
	uint64_t more = a > b ? a : b, off = a > b ? a - b : b - a;

	return off <= insns || (double)off <= share * (double)more;
}

/* Leaves of one module and layer that have the same size. */
static bool same_leaf(const struct pair_work *w, const struct explanation_function *a,
		      const struct explanation_function *b)
{
	return a->insns >= LARGE && is_near(a->insns, b->insns, EQUAL_SHARE, 0) &&
	       pair_same_text(a->module, b->module) && !strcmp(a->layer, b->layer) &&
	       !calls_any(&w->base, pair_function_node(&w->base, a)) &&
	       !calls_any(&w->now, pair_function_node(&w->now, b));
}

/* How well a function of the base fits one of the new explanation; 0: not at all. */
static double fitness(const struct pair_work *w, const struct explanation_function *a,
		      const struct explanation_function *b, const char **evidence)
{
	size_t i = pair_function_node(&w->base, a), k = pair_function_node(&w->now, b);
	double name = explain_name_likeness(a->name, b->name), callees;

	if (!pair_same_space(a->space, b->space) || !share_caller(w, i, k) ||
	    !is_near(a->insns, b->insns, PAIR_NEAR_SHARE, PAIR_NEAR_INSNS))
		return 0;
	if ((a->insns < PAIR_SMALL || b->insns < PAIR_SMALL) && name < 1)
		return 0;
	callees = callee_likeness(w, i, k);
	if (name >= 0.5) {
		*evidence = "same caller, similar name and size";
		return PAIR_BY_LIKENESS + name + callees;
	}
	if (callees >= 0.5) {
		*evidence = "same caller and callees, similar size";
		return PAIR_BY_LIKENESS + callees;
	}
	*evidence = "same caller and size";
	return same_leaf(w, a, b) ? PAIR_BY_SIZE : 0;
}

/* Whether no other fit of this function that is gone, or of this new one, is as good. */
static bool is_best(const double *fits, size_t n, size_t gone, size_t new)
{
	double fit = fits[gone * n + new];

	for (size_t i = 0; i < n; i++)
		if ((i != new &&fits[gone * n + i] >= fit) ||
		    (i != gone && fits[i * n + new] >= fit))
			return false;
	return true;
}

static void rename_pair(struct pair_work *w, size_t gone, size_t new)
{
	struct pair *p = &w->pairs[new];

	p->base = w->pairs[gone].base;
	p->kind = PAIR_RENAMED;
	fitness(w, p->base, p->now, &p->evidence);
	w->pairs[gone].kind = PAIR_DEAD;
	pair_move_group(w, gone, new);
}

/*
 * Pairs functions that are gone with new ones that fit at least so well, and better than
 * any other. Returns whether there were any.
 */
static bool rename_all(struct pair_work *w, double least)
{
	double *fits = pair_allocate(w->n * w->n, sizeof(*fits));
	const char *evidence;
	bool any = false;
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; is_gone(&w->pairs[i]) && k < w->n; k++) {
			if (!is_new(&w->pairs[k]))
				continue;
			fits[i * w->n + k] =
				fitness(w, w->pairs[i].base, w->pairs[k].now, &evidence);
		}
	for (i = 0; i < w->n; i++)
		for (k = 0; k < w->n; k++) {
			if (fits[i * w->n + k] < least || !is_best(fits, w->n, i, k))
				continue;
			rename_pair(w, i, k);
			any = true;
		}
	free(fits);
	return any;
}

/* ------------------------------ inlined or split off ------------------------------ */

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

	return (sign < 0 ? is_gone(p) : is_new(p)) && f->insns >= PAIR_SMALL &&
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
		while (rename_all(w, PAIR_BY_LIKENESS))
			;
	} while (move_one(w));
	while (rename_all(w, PAIR_BY_SIZE))
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
