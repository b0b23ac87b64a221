/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every benchmark under every config. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/lib/error.h"
#include "host/measure/measure.h"
#include "host/targets/target.h"

#define MATRIX_EVENTS 20

struct matrix {
	const struct selftest_watch *watch;
	unsigned int done, failed;
};

static int on_benchmark(void *ctx, const struct result *r,
			const struct result_benchmark *b)
{
	struct matrix *m = ctx;
	bool failed = b->status == RESULT_FAIL;
	char line[700];

	(void)r;
	m->failed += failed;
	snprintf(line, sizeof(line), "%sok %u - %s [%s]%s%s", failed ? "not " : "",
		 ++m->done, b->name, b->config,
		 failed			    ? ": "
		 : b->status == RESULT_SKIP ? " # SKIP "
					    : "",
		 b->reason ? b->reason : "");
	m->watch->line(m->watch->ctx, line);
	return 0;
}

/* All of a table's names, in memory that the caller frees. */
static const char **all_names(size_t stride, const void *table, size_t *n)
{
	const char *row = table;
	const char **names;

	for (*n = 0; *(const char *const *)(const void *)(row + *n * stride);)
		++*n;
	names = calloc(*n + 1, sizeof(*names));
	for (size_t i = 0; names && i < *n; i++)
		names[i] = *(const char *const *)(const void *)(row + i * stride);
	return names;
}

/* The benchmarks that --bench '*' means. */
static const char **all_benches(size_t *n)
{
	size_t all, kept = 0;
	const char **names = all_names(sizeof(*bench_table), bench_table, &all);

	for (size_t i = 0; names && i < all; i++)
		if (!(bench_table[i].needs & OPT_IN))
			names[kept++] = bench_table[i].id;
	*n = kept;
	return names;
}

/* The configs that --config '*' means: those of one setting are parts of the VMs'
 * configs. */
static const char **all_configs(size_t *n)
{
	size_t all, kept = 0;
	const char **names = all_names(sizeof(*config_table), config_table, &all);

	for (size_t i = 0; names && i < all; i++)
		if (!config_table[i].settings && !config_table[i].mitigation &&
		    !(config_table[i].vm & ~VM_QEMU))
			names[kept++] = config_table[i].name;
	*n = kept;
	return names;
}

int measure_matrix(struct target *t, const struct selftest_watch *watch,
		   struct error *err)
{
	struct matrix m = { .watch = watch };
	struct job job = {
		.kind = JOB_BOOTS, .boots = 1, .events = MATRIX_EVENTS, .cpu = -1
	};
	const struct measure_watch measure_watch = { .ctx = &m,
						     .benchmark = on_benchmark };
	struct result *r = NULL;
	char plan[32];
	const char **benches = all_benches(&job.n_benches);
	const char **configs = all_configs(&job.n_configs);
	int rc;

	job.benches = benches;
	job.configs = configs;
	if (!benches || !configs) {
		rc = error_set(err, -ENOMEM, "out of memory");
	} else {
		watch->line(watch->ctx, "TAP version 13");
		rc = measure_run(t, &job, &measure_watch, &r, err);
		snprintf(plan, sizeof(plan), "1..%u", m.done);
		watch->line(watch->ctx, plan);
	}
	free(benches);
	free(configs);
	result_free(r);
	return rc ? rc : (int)m.failed;
}
