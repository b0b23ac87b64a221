/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a request and a target to a result document.
 *
 * measure.c runs the boots in their order, on exact targets as many at a time as there
 * are processors (pool.h); judge.c decides whether the exits prove what a row claims;
 * assemble.c turns samples into metrics.
 */
#ifndef WS_MEASURE_MEASURE_H
#define WS_MEASURE_MEASURE_H

#include "host/lib/error.h"
#include "host/measure/plan.h"
#include "host/result/result.h"

/* Who wants to know while it goes on; any member may be NULL. */
struct measure_watch {
	void *ctx;
	void (*progress)(void *ctx, const char *text);
	int (*benchmark)(void *ctx, const struct result *r,
			 const struct result_benchmark *b);
};

/*
 * Measures on an opened target. `*out` is a document with everything that
 * finished, also after a failure (then marked as partial); the caller frees it
 * and fills in `run`. 0; -EINTR (interrupted); -ENOENT (nothing to measure); or
 * another negative errno if the target failed, with `err`.
 */
int measure_run(struct target *t, const struct job *job,
		const struct measure_watch *watch, struct result **out,
		struct error *err);

/*
 * After the target failed, or could not be opened: adds every row of the request that
 * the document lacks, as failed for the reason in `err`, and the warning
 * RESULT_TARGET_FAILED. Fills in target and clock where the target was not described.
 */
void measure_fail(const struct target *t, const struct job *job, const struct error *err,
		  struct result *r);

#endif
