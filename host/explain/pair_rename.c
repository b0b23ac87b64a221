/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds functions that were renamed. */
#include "host/explain/pair_rules.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/pair.h"

/* A rename that only sizes show: of functions of this size, equal to 5 %. */
#define LARGE	    20
#define EQUAL_SHARE 0.05

bool pair_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
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

/* Pairs functions that fit each other better than any other. Returns whether there were
 * any. */
bool pair_rename_all(struct pair_work *w, double least)
{
	double *fits = pair_allocate(w->n * w->n, sizeof(*fits));
	const char *evidence;
	bool any = false;
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; pair_is_gone(&w->pairs[i]) && k < w->n; k++) {
			if (!pair_is_new(&w->pairs[k]))
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
