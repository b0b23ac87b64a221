/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots of an exact target, side by side. */
#ifndef WS_MEASURE_POOL_H
#define WS_MEASURE_POOL_H

#include "host/lib/error.h"
#include "host/targets/target.h"

/* Boots of one row under one config: as many as `n`, until one fails. */
struct pool_boot {
	struct boot_request request;
	size_t n;
	struct boot_report *reports; /* filled in once pool_wait() returned 0 */
	/* The pool's own. */
	size_t done; /* so far, where the target boots one after the other */
	enum { POOL_WAITS, POOL_RUNS, POOL_DONE, POOL_TAKEN } state;
	int rc;
	struct error err;
};

struct pool;

/*
 * Boots `boots` (the caller's, until pool_stop()) in about their order, one at a time
 * or, where the target can, one per processor. NULL: out of memory.
 */
struct pool *pool_start(struct target *t, struct pool_boot *boots, size_t n);

/* Called again and again while boots are waited for: how many of them are done. */
struct pool_watch {
	void (*waiting)(void *ctx, size_t done);
	void *ctx;
};

/*
 * Waits for boots[i] and hands its reports over. 0; what the target's boot() returned,
 * with `err`; -EINTR.
 */
int pool_wait(struct pool *p, size_t i, const struct pool_watch *watch,
	      struct error *err);

/* Waits for what runs, and frees reports that were not handed over. NULL is allowed. */
void pool_stop(struct pool *p);

#endif
