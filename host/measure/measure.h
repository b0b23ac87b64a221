/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a job and a target to a result document.
 *
 * plan.c selects rows, configs and parameters; measure.c runs the boots in order, on
 * exact targets one per processor at a time (pool.c); assemble.c turns the samples of a
 * boot into metrics, after judge.c has judged whether the boot proves its row; estimate.c
 * computes the figures over all boots (figures.h). matrix.c runs every benchmark under
 * every config as tests.
 */
#ifndef WS_MEASURE_MEASURE_H
#define WS_MEASURE_MEASURE_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
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

/* ------------------------------ the plan ------------------------------ */

/* The plan of a job on a target: benchmarks x configs, and the parameters of boots. */

/* One benchmark and the configs it runs under, whose boots are interleaved. */
struct plan_row {
	const struct bench *bench;
	struct boot_scale scale; /* none: not scaled */
	const struct config **configs;
	size_t n_configs;
};

struct plan {
	struct plan_row *rows;
	size_t n_rows;
	uint32_t boots;
	bool exact;
	/* Without the batch of a row; map_params: of the vPMU map's rows. */
	struct abi_params params, map_params;
	uint32_t nested_warmup; /* of rows whose payload has a guest */
	uint32_t scaled_events; /* limit of a vCPU at any scale of the job */
	uint64_t timeout_ns;
};

/*
 * Omits rows and configs that the target's architecture does not have. A job without
 * configs runs every row under `default`; on aarch64 rows about the PMU run under the
 * configs that switch it off and on. 0; -ENOENT with `err` if no row remains; -ENOMEM.
 * plan_free() it after success.
 */
int plan_make(const struct job *job, const struct target *t, struct plan *plan,
	      struct error *err);
void plan_free(struct plan *plan);

/*
 * Whether a target has a benchmark; a config. A lab with several CPUs has the others only
 * at a scale.
 */
bool plan_has_bench(const struct target *t, const struct job *job, const struct bench *b);
bool plan_has_config(const struct target *t, const struct config *c);

/* The parameters of a boot of `row`. */
struct abi_params plan_params(const struct plan *plan, const struct plan_row *row);

/*
 * The config of a row in documents. A scale is part of it, as each has figures of its
 * own: "default@vcpus=4".
 */
#define PLAN_CONFIG_BYTES 80
void plan_config_name(const struct boot_scale *scale, const struct config *config,
		      char name[PLAN_CONFIG_BYTES]);

/* ------------------------------ boots in parallel ------------------------------ */

/* Boots of an exact target in parallel. */

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

/* ------------------------------ the PMU ------------------------------ */

/*
 * The PMU of the host, of KVM and of each guest: readings for the document; and the
 * guest's PMU against the manual (bench/pmu_tests.def).
 */

/*
 * Where `plan` holds rows of the vPMU map: fills in r->pmu, a guest for each of their
 * configs. 0, or the negative errno of a boot that failed, with `err`.
 */
int pmu_readings_add(struct target *t, const struct plan *plan, struct result *r,
		     struct error *err);

/* Adds this machine's PMU, and the one that its KVM offers. */
void pmu_readings_add_host(enum arch arch, struct result *r);

/*
 * Of `row` under pmu-mediated: RDPMC exits unless the vPMU has as many counters, of the
 * same width, as the host's PMU (kvm_need_rdpmc_intercept() in arch/x86/kvm/pmu.c), by
 * CPUID. The row stays HANDLED_VARIES if `r` does not have both.
 */
void pmu_expect(struct bench *row, const struct config *config, const struct result *r);

/* The rows outside of the catalogue that read and test a guest's PMU; NULL: another `id`.
 */
const struct bench *pmu_row(const char *id);

/* Why a test failed, by the payload's three values of it (bench/pmu.h). */
void measure_pmu_reason(uint64_t result, uint64_t found, uint64_t other, char *text,
			size_t bytes);

/* The row outside of the catalogue whose payload runs the tests. */
extern const struct bench pmu_tests_row;

/*
 * Boots one guest of an opened target under a config, and reports in TAP. Returns the
 * number of failures, or a negative errno with `err`.
 */
int measure_pmu_tests(struct target *t, const struct config *config,
		      const struct selftest_watch *watch, struct error *err);

#endif
