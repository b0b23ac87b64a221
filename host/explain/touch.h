/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event touches: cache lines, pages, branches and serialising instructions of a
 * recorded event, by simulated caches and branch predictors, and the cycles that
 * these counts estimate.
 */
#ifndef WS_EXPLAIN_TOUCH_H
#define WS_EXPLAIN_TOUCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/catalogue.h"
#include "host/explain/explanation.h"
#include "host/explain/trace.h"
#include "host/lib/error.h"
#include "host/lib/table.h"

struct touch_model;

/* ------------------------------ the model ------------------------------ */

/*
 * The simulated caches and branch predictors of `explain --touch`, as cachegrind models
 * them (valgrind 3.19, cachegrind/cg_sim.c and cg_branchpred.c):
 *
 * - L1I, L1D and one last level (LL), each set-associative with LRU replacement. A store
 *   allocates a line like a load. A reference that misses an L1 goes to LL. No level
 *   includes or excludes the lines of another. A reference that straddles two lines
 *   touches both, and is one miss if at least one of them misses.
 * - Conditional branches: 2^14 two-bit counters, indexed by the low 7 bits of the address
 *   and by the outcomes of the last 7 conditional branches.
 * - Indirect jumps and calls: 2^9 last targets, by the low 9 bits of the address. Returns
 *   are predicted.
 *
 * No I/O. tests/unit_touch.c compares the counts with those of cachegrind.
 */

/*
 * The defaults: 32 KiB in 8 ways twice, the L1 caches of Intel Skylake and AMD Zen, and
 * 1 MiB in 16 ways, the private L2 of Skylake's servers.
 */
#define TOUCH_CACHES_DEFAULT                                                             \
	((struct touch_caches){ { 32768, 8, 64 }, { 32768, 8, 64 }, { 1048576, 16, 64 } })

/* Parses "BYTES,WAYS,LINE", as cachegrind's --I1. 0, or -EINVAL with `*why`. */
int touch_cache_parse(const char *text, struct touch_cache *c, const char **why);

/* Address spaces: lines of equal addresses in two of them are different lines. */
enum touch_space {
	TOUCH_HOST = 1, /* the VMM and the host's kernel */
	TOUCH_HYP,	/* EL2 of a host whose kernel runs at EL1 */
	TOUCH_L0,	/* below a host that is a guest */
	TOUCH_GUEST,
	TOUCH_WORK, /* the working set of touch_work() */
};

/* Empty caches, predictors at zero. Aborts when memory is exhausted. */
struct touch_model *touch_model_new(const struct touch_caches *caches, enum arch arch);
struct touch_model *touch_model_copy(const struct touch_model *m);
void touch_model_free(struct touch_model *m);

void touch_fetch(struct touch_model *m, enum touch_space space, uint64_t vaddr,
		 unsigned int bytes);
void touch_data(struct touch_model *m, enum touch_space space, uint64_t vaddr,
		unsigned int bytes);
void touch_branch(struct touch_model *m, uint64_t vaddr, bool taken);
void touch_indirect(struct touch_model *m, uint64_t vaddr, uint64_t target);

/* Counts since the model was created or copied. */
const struct touch_counts *touch_model_counts(const struct touch_model *m);

/*
 * A guest's working set of `bytes`: fetches of the first half and loads of the second
 * half, every line once, by ascending address.
 */
void touch_work(struct touch_model *m, uint64_t bytes);
/* The lines of working sets in each cache. */
struct touch_lines {
	int64_t l1i, l1d, ll;
};
struct touch_lines touch_work_lines(const struct touch_model *m);

/* ------------------------------ events ------------------------------ */

/*
 * Fills in e->touch for the path of the event `r`. Cold: the event from empty caches.
 * Warm: the last event of this path, after everything that was recorded before it in its
 * boot. The curve: that event again after a guest's working set, for the second time.
 * Needs recorded memory accesses. 0 or -ENOMEM.
 */
int touch_build(const struct trace *t, const struct regions *regions,
		const struct region *r, const struct touch_caches *caches,
		struct explanation *e);

/* Runs a step of a trace through the model: its fetch, its accesses, its branch. */
void touch_step(struct touch_model *m, const struct trace *t, const struct trace_step *s);

/* Whether the explanation says what the event touches. */
bool touch_is_in(const struct explanation *e);

/* Figures of e->touch and e->kinds, as metrics of result documents. */
struct touch_metric {
	char name[40];
	const char *unit;
	const char *words; /* for tables; NULL: a point of the curve */
	double value;
};
#define TOUCH_METRICS_MAX 96
size_t touch_metrics(const struct explanation *e, struct touch_metric *list);

/*
 * The figures as tables: misses, pages, serialising work and, if there is one, the curve
 * over the guest's working set, to which the note belongs. Returns their number; the
 * caller frees each of them, and the heading.
 */
#define TOUCH_TABLES 4
size_t touch_tables(const struct explanation *e, struct table tables[TOUCH_TABLES]);
char *touch_heading(const struct explanation *e);
extern const char touch_curve_note[];

void touch_print(FILE *f, const struct explanation *e, const struct table_options *o);
/* Both must have been recorded with --touch. */
void touch_print_diff(FILE *f, const struct explanation *base,
		      const struct explanation *e, const struct table_options *o);

/* ------------------------------ estimated cycles ------------------------------ */

/*
 * estimated_cycles: a weighted sum of what an event touches. An estimate: it is shown
 * with its weights, and is not a metric of documents, so that no gate can depend on it.
 */

/* The counts that can have a weight: "insns" and metrics of touch_metrics(), warm. */
#define ESTIMATE_TERMS 17
const char *estimate_term(size_t i);

struct estimate_weights {
	char name[64];
	char source[160];
	char unit[16]; /* "cycles", or that of the rows that were fitted */
	double weight[ESTIMATE_TERMS];
};

/*
 * A family of weights.def, or a file of `wsbench calibrate`: lines of a term and a
 * weight, and comments from '#' on. 0, or -errno with `err`.
 */
int estimate_weights(const char *name, struct estimate_weights *w, struct error *err);
/* Such a file; for `f`, with comments. Write errors stay in ferror(f). */
void estimate_write(FILE *f, const struct estimate_weights *w, const char *comment);

/* The terms of an explanation, or of a row of a lab's document. False: some are missing.
 */
bool estimate_counts(const struct explanation *e, double counts[ESTIMATE_TERMS]);
bool estimate_counts_of_row(const struct result_benchmark *b,
			    double counts[ESTIMATE_TERMS]);

double estimate_sum(const struct estimate_weights *w,
		    const double counts[ESTIMATE_TERMS]);

/* The formula, term by term. The explanation must say what the event touches. */
void estimate_print(FILE *f, const struct explanation *e,
		    const struct estimate_weights *w, const struct table_options *o);

/* A row measured on hardware, with its counts from a lab. */
struct estimate_row {
	const char *name, *config;
	double measured;
	double counts[ESTIMATE_TERMS];
	double fitted;	 /* by the weights of all rows */
	double left_out; /* by the weights of all other rows; NAN: no solution */
};

/*
 * Fits weights >= 0 to rows, by least squares of relative errors, and each row again by
 * the other rows (leave-one-out cross-validation). Fills in `fitted` and `left_out`. 0;
 * -ERANGE: fewer than ESTIMATE_ROWS_MIN rows, or no solution; -ENOMEM.
 */
#define ESTIMATE_ROWS_MIN 4
int estimate_fit(struct estimate_row *rows, size_t n, struct estimate_weights *w);

/* The median and the largest of |left_out / measured - 1|. */
void estimate_errors(const struct estimate_row *rows, size_t n, double *median,
		     double *largest);

#endif
