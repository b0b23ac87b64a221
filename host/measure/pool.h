/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots of an exact target in parallel. */
#ifndef WS_MEASURE_POOL_H
#define WS_MEASURE_POOL_H

#include <semaphore.h>

#include "host/lib/error.h"
#include "host/targets/target.h"

/* `n` boots of one row under one config; the first that fails is the last. */
struct pool_boot {
	struct boot_request request;
	size_t n;
	struct boot_report *reports; /* filled in once pool_wait() returned 0 */
	/* Private. */
	size_t done; /* boots so far, if the target boots one at a time */
	enum { POOL_WAITS, POOL_RUNS, POOL_DONE, POOL_TAKEN } state;
	int rc;
	struct error err;
};

struct pool;

/*
 * Starts `boots` (the caller's, in use until pool_stop()) in order, one at a time or, if
 * the target supports it, one per processor. A boot waits for one of `slots`, which other
 * pools share, unless NULL. NULL: out of memory.
 */
struct pool *pool_start(struct target *t, struct pool_boot *boots, size_t n,
			sem_t *slots);

/* The number of processors of this process, at most 64. */
size_t pool_processors(void);

/* waiting() is called repeatedly during pool_wait(). */
struct pool_watch {
	void (*waiting)(void *ctx, size_t done);
	void *ctx;
};

/*
 * Waits for boots[i], whose reports then belong to the caller. 0; the error of the
 * target's boot() with `err`; -EINTR.
 */
int pool_wait(struct pool *p, size_t i, const struct pool_watch *watch,
	      struct error *err);

/* Waits for running boots, and frees reports without an owner. NULL is allowed. */
void pool_stop(struct pool *p);

#endif
