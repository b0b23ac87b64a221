/* SPDX-License-Identifier: GPL-2.0-or-later */
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
#ifndef WS_EXPLAIN_TOUCH_MODEL_H
#define WS_EXPLAIN_TOUCH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/catalogue.h"

/* A geometry. Line and number of sets are powers of two. */
struct touch_cache {
	int64_t bytes, ways, line_bytes;
};

struct touch_caches {
	struct touch_cache i1, d1, ll;
};

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
	TOUCH_GUEST,
	TOUCH_WORK, /* the working set of touch_work() */
};

struct touch_counts {
	int64_t l1i_misses, l1d_misses, ll_misses;
	int64_t mispredicts, indirect_mispredicts;
};

struct touch_model;

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

#endif
