/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commits that can be the cause of a step: those whose titles fit the functions that
 * changed, and in a git tree those that changed the functions.
 */
#ifndef WS_EXPLAIN_CAUSE_H
#define WS_EXPLAIN_CAUSE_H

#include <stddef.h>

#include "bench/abi.h"
#include "host/explain/changelog.h"
#include "host/explain/step.h"
#include "host/lib/error.h"

enum cause_strength {
	CAUSE_CERTAIN, /* the only commit that changed the function's text */
	CAUSE_LIKELY,
	CAUSE_CANDIDATE,
};

struct cause {
	enum cause_strength strength;
	const char *version; /* of the update or package, or the commit's id */
	const char *title;
	const struct step_function **functions; /* that the commit fits best */
	size_t n_functions;
	double score;
};

struct causes {
	struct cause *list; /* the strongest first */
	size_t n;
	size_t n_searched; /* functions; all that can be found in a tree */
	size_t n_lost;	   /* functions that are not in the tree */
	char *text;	   /* owns strings; NULL */
};

const char *cause_strength_name(enum cause_strength strength);

/*
 * Ranks the titles of `changes` by how well they fit the functions of the step: words of
 * the function's name, weighted by how rare they are in `known`, and the subsystem before
 * the title against the function's module and layer. `arch`: "x86_64" or "aarch64". The
 * step and `known` must outlive `out`; causes_free() it.
 */
void causes_of_titles(const struct step *step, const char *arch,
		      const struct changelog *known, const struct change *const *changes,
		      size_t n, struct causes *out);

/*
 * Searches the git tree `tree` for the commits between two revisions that changed the
 * functions. 0, or a negative errno with `err`; -ENOENT: the tree does not have the
 * revisions. causes_free() it.
 */
int causes_of_tree(const struct step *step, const char *arch, const char *tree,
		   const char *from, const char *to, struct causes *out,
		   struct error *err);

/* For the two functions above: the cause of this version and title, added if needed. */
struct cause *causes_add(struct causes *c, const char *version, const char *title);
void cause_add_function(struct cause *c, const struct step_function *f);
void causes_sort(struct causes *c);

#define CAUSE_NAME_BYTES 128

/* The function without what the compiler and the nVHE object add to its name. */
void cause_source_name(const char *symbol, char name[CAUSE_NAME_BYTES]);

/* Drops the weakest cause. */
void causes_drop_last(struct causes *c);

void causes_free(struct causes *c);

#endif
