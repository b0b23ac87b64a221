/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of two explanations, paired: what changed, and what only moved. */
#ifndef WS_EXPLAIN_PAIR_H
#define WS_EXPLAIN_PAIR_H

#include <stdbool.h>
#include <stddef.h>

struct explanation;

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

#endif
