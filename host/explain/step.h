/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions behind a step of a history, and the commits that can be its cause, from
 * explanations and a changelog that are kept beside the history.
 */
#ifndef WS_EXPLAIN_STEP_H
#define WS_EXPLAIN_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/abi.h"
#include "host/explain/explanation.h"
#include "host/lib/error.h"

struct table;

/* ------------------------------ kept explanations ------------------------------ */

/*
 * Explanations that are kept beside a history, compressed, so that the figures of kernels
 * can be explained when the kernels are no longer there.
 *
 *	FILE.jsonl.explanations/lab-x86_64-svm/6.12.113-cloud-amd64/hypercall.default.json.gz
 *
 * The names are those of target, kernel ("KERNEL@COMMIT" if the commit is known),
 * benchmark and config, with unusual characters replaced. A later explanation of one name
 * replaces the earlier one.
 */

/* What an explanation is of; strings that are unknown are NULL. */
struct keep_name {
	const char *target, *kernel, *commit, *benchmark, *config;
};

/* Keeps an explanation beside the history `db`. 0, or a negative errno with `err`. */
int keep_add(const char *db, const struct explanation *e, struct error *err);

/*
 * The explanation of this name beside `db`; explanation_free() it. 0; -ENOENT: there is
 * none; or another negative errno, with `err`.
 */
int keep_find(const char *db, const struct keep_name *name, struct explanation **out,
	      struct error *err);

/* ------------------------------ functions ------------------------------ */

/* Of several rows together. */

/* A row that the step changed, before and after; the strings belong to the creator. */
struct step_row {
	const char *name; /* "hypercall [pmu-off]" */
	const struct explanation *base, *now;
};

/* The change of a function, over the rows: functions of one name can differ in space. */
struct step_function {
	const char *name, *space, *module, *layer;
	const char *how; /* in the first of its rows; NULL */
	long long least, most;
	size_t n_rows; /* in which it changed */
};

struct step {
	struct step_function
		*functions; /* by rows and size of the change, largest first */
	size_t n;
	struct step_changes *changes; /* owns `how` */
};

/* The rows must outlive the step; step_free() it. */
void step_sum(const struct step_row *rows, size_t n, struct step *out);
void step_free(struct step *step);

/*
 * The table of a step of `n_rows` rows, at most `top` functions: table_free() it. A
 * change that differs between rows is a range.
 */
void step_table(struct table *t, const struct step *step, size_t n_rows, size_t top);

/* ------------------------------ commits ------------------------------ */

/*
 * The commits in the changelog of Debian's kernel, which lists the commits of each stable
 * update of Linux by title. They are kept beside a history, compressed, one per line:
 *
 *	FILE.jsonl.explanations/changelog.gz: PACKAGE <tab> UPDATE <tab> TITLE
 *
 * PACKAGE is the version of the package that has the commit first, UPDATE the update of
 * Linux that has it ("-": a change of Debian's).
 */

struct change {
	const char *package; /* "6.12.115-1" */
	const char *update;  /* "6.12.114"; NULL: a change of Debian's */
	const char *title;   /* "[x86] KVM: SVM: ..." */
};

struct changelog {
	struct change *changes;
	size_t n;
	char *text; /* owns the strings */
};

/*
 * Adds the commits of Debian changelogs (plain or gzip), from Linux 6.0 on, to those that
 * are kept beside the history `db`. 0, or a negative errno with `err`; *unusable: the
 * cause is one of the files.
 */
int changelog_keep(const char *db, const char *const *files, size_t n, bool *unusable,
		   struct error *err);

/*
 * The commits beside `db`; changelog_free() them. 0; -ENOENT: there are none; or another
 * negative errno, with `err`.
 */
int changelog_find(const char *db, struct changelog *out, struct error *err);
void changelog_free(struct changelog *log);

/*
 * Selects the commits between two versions of a package: what `to` has and `from` has
 * not. The number of commits in *out, for free(). *whole is false if the versions are of
 * two releases of Linux (6.12, 6.16): the changelog does not list the commits of a
 * release, but only those of the updates to it.
 */
size_t changelog_between(const struct changelog *log, const char *from, const char *to,
			 const struct change ***out, bool *whole);

/* The length of the version of Linux in that of a package: "6.18~rc4-1~exp1": 8. */
size_t changelog_linux_bytes(const char *package);

/* ------------------------------ causes ------------------------------ */

/*
 * The commits that can be the cause of a step: those whose titles fit the functions that
 * changed, and in a git tree those that changed the functions.
 */

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

/* Whether `tree` is a git tree with a commit. */
bool causes_is_tree(const char *tree);

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
