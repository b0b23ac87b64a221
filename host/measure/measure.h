/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a job and a target to a result document.
 *
 * plan.c selects rows, configs and parameters; measure.c runs the boots in order, on
 * exact targets one per processor at a time (pool.c); assemble.c turns the samples of a
 * boot into metrics, after judge.c has judged whether the boot proves its row; estimate.c
 * computes the figures over all boots. matrix.c runs every benchmark under every config
 * as tests.
 */
#ifndef WS_MEASURE_MEASURE_H
#define WS_MEASURE_MEASURE_H

#include <semaphore.h>

#include "host/lib/error.h"
#include "host/measure/plan.h"
#include "host/result/result.h"
#include "host/selftest/selftest.h"
#include "host/targets/target.h"

/* What a run measures at the moment. */
struct measure_place {
	const char *bench, *config;
	uint32_t boot, boots; /* of this row, from 1 */
	size_t done, total;   /* boots of all rows */
};

/* Callbacks during the run; any member may be NULL. */
struct measure_watch {
	void *ctx;
	void (*progress)(void *ctx, const struct measure_place *place);
	/*
	 * Noisy targets, after the boots of the job: whether to boot each row once more.
	 * `r` has the boots so far and no estimates.
	 */
	bool (*more)(void *ctx, const struct result *r);
	int (*benchmark)(void *ctx, const struct result *r,
			 const struct result_benchmark *b);
	/* Exact targets: the slots of pool_start(), shared with runs beside this one. */
	sem_t *slots;
};

/*
 * Measures on an opened target. `*out` is a document with all rows that finished, marked
 * as partial after a failure; the caller frees it and fills in `run`. 0; -EINTR
 * (interrupted); -ENOENT (no row to measure); or another negative errno if the target
 * failed, with `err`.
 */
int measure_run(struct target *t, const struct job *job,
		const struct measure_watch *watch, struct result **out,
		struct error *err);

/*
 * After an error of the target: adds every row of the job that the document lacks, as
 * failed with the reason in `err`, and the warning RESULT_TARGET_FAILED. Fills in target
 * and clock where the target was not described.
 */
void measure_fail(const struct target *t, const struct job *job, const struct error *err,
		  struct result *r);

/*
 * Runs them on an opened target, 20 events each, and reports in TAP: a skipped row is
 * `ok` with its reason; a row that hangs, crashes or does not exit as its row and config
 * claim is `not ok`. Returns the number of failures, or a negative errno with `err`.
 */
int measure_matrix(struct target *t, const struct selftest_watch *watch,
		   struct error *err);

#endif
