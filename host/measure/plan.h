/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a job on a target: benchmarks x configs, and the parameters of boots. */
#ifndef WS_MEASURE_PLAN_H
#define WS_MEASURE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/targets/target.h"

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
	struct abi_params params, map_params; /* map_params: of the vPMU map's rows */
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

#endif
