/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of two explanations, paired: what changed, and what only moved. */
#ifndef WS_EXPLAIN_PAIR_H
#define WS_EXPLAIN_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "host/explain/explanation.h"

/* A function in two explanations, with the functions that are counted with it. */
struct explain_change {
	const char *name;	    /* in the second explanation, else in the first */
	const char *space, *module; /* of this function, as in the explanation */
	const char *layer;	    /* ... */
	unsigned long long base;    /* instructions in the first explanation; 0: none */
	unsigned long long now;	    /* ... in the second */
	long long change;	    /* now - base */
	bool paired; /* as renamed, inlined or split off: not by the name alone */
	char *how;   /* "new, called by f"; NULL: the same name in both */
};

/*
 * Pairs the functions of `base` with those of `now`, the largest change first. The sums
 * of `base` and `now` over all changes are those over the functions of the explanations.
 *
 * A function has its name in both, apart from the suffixes of functions that the compiler
 * split or specialised (".part.0") and the prefixes of EL2 and position-independent code.
 * Other functions are paired if both explanations show the reason:
 *
 *   renamed   a function is gone and one is new, called by the same function, with a
 *             similar size, and with a similar name, the same callees, or (leaves of one
 *             module and layer, without another candidate) the same size
 *   inlined   a function is gone, and its caller, of equal space and module, grew by
 *             about its size
 *   split off a function is new, and such a caller shrank by about its size
 *
 * `how` names the reason. Pure function. The caller frees by explain_changes_free(); the
 * names belong to the explanations. Returns the number of changes.
 */
size_t explain_changes(const struct explanation *base, const struct explanation *now,
		       struct explain_change **out);
void explain_changes_free(struct explain_change *changes, size_t n);

/* Whether two names are those of one function, apart from these suffixes and prefixes. */
bool explain_same_name(const char *a, const char *b);

/* How alike the words of two names are, without words such as "kvm": 0 to 1. */
double explain_name_likeness(const char *a, const char *b);

/* ------------------------ the parts of the pairing ------------------------ */

/* Sizes differ by at most a quarter, or by a few instructions. */
#define PAIR_NEAR_SHARE 0.25
#define PAIR_NEAR_INSNS 4
/* Below, a similar size is a coincidence. */
#define PAIR_SMALL	8

/* Fitness of a rename: the least with a similar name or the same callees, and without. */
#define PAIR_BY_LIKENESS 1.0
#define PAIR_BY_SIZE	 0.5

enum pair_kind {
	PAIR_NAMED,   /* in both, by name; or in one alone */
	PAIR_RENAMED, /* in both */
	PAIR_INLINED, /* in base alone, and counted in another group */
	PAIR_SPLIT,   /* in now alone, and counted in another group */
	PAIR_DEAD,    /* its function has become the base of another pair */
};

struct pair {
	const struct explanation_function *base, *now; /* NULL: not in that one */
	enum pair_kind kind;
	const char *evidence; /* of a rename */
	const char *caller;   /* of `base` if it is gone, of `now` if it is new; NULL */
	size_t caller_node;   /* that caller in the call graph of its explanation */
	size_t group;	      /* the index of the pair that this one is counted with */
};

/* The call graph of one explanation. */
struct pair_side {
	const struct explanation *e;
	struct explanation_frame *nodes; /* functions, then frames without insns */
	size_t *group;			 /* by node */
	size_t *named;			 /* by node: the first node of this name */
	bool *calls;			 /* [caller * n + callee] */
	size_t n;
	size_t *stacks; /* the nodes of all frames, stack by stack */
};

struct pair_work {
	struct pair_side base, now;
	struct pair *pairs;
	size_t n;
	size_t n_groups; /* used numbers; those from `n` on are groups of frames alone */
};

/* Pairs two explanations by the rules above; pair_close() it. */
void pair_open(struct pair_work *w, const struct explanation *base,
	       const struct explanation *now);
void pair_close(struct pair_work *w);

/* Zeroed, with one element more; aborts if out of memory. */
void *pair_allocate(size_t n, size_t bytes);

/* Every function calls thunks, and returns through them. */
bool pair_is_thunk(const char *name);

/* The call graph of an explanation; pair_side_close() it. */
void pair_side_open(struct pair_side *s, const struct explanation *e);
void pair_side_close(struct pair_side *s);
size_t pair_function_node(const struct pair_side *s,
			  const struct explanation_function *f);

/* Fills in the pairs: by name, and functions of one explanation alone. */
void pair_by_name(struct pair_work *w);
/* Gives each pair a group, and to all nodes the groups of their pairs. */
void pair_group_functions(struct pair_work *w);
void pair_move_group(struct pair_work *w, size_t from, size_t to);

/*
 * Whether a function can have moved from one space to the other: EL2 and the kernel are
 * one. NULL, an unknown space, matches all.
 */
bool pair_same_space(const char *a, const char *b);
bool pair_same_text(const char *a, const char *b); /* NULL is equal to NULL */

#endif
