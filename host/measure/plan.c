/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a job on a target: benchmarks x configs, and the parameters of boots. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pmu.h"
#include "host/lib/error.h"
#include "host/measure/measure.h"
#include "host/targets/target.h"

/* The batch series: few, but each over many bodies (bench_batch()). */
#define NOISY_BATCHES 20
#define EXACT_BATCHES 9

/*
 * On an exact target a phase ends after a block of events that repeats the block before
 * it (bench/abi.h). 24 is a multiple of the periods 2, 3, 4, 6, 8 and 12.
 */
#define EXACT_REPEAT	     24
#define EXACT_REPEAT_OF_RUNS 96

/* Two rounds of the distances between reads that find_step() in guest/runtime.c tries. */
#define EXACT_CLOCK_READS 42

/* Events of the PMC phases; without noise a few suffice. */
#define EXACT_PMC_EVENTS 16
#define NOISY_SPINS	 20

/*
 * The vPMU map has more rows than all other groups together, and shows what happens more
 * than what it costs: a tenth of the events suffices.
 */
#define MAP_SHARE	 10
#define EXACT_MAP_WARMUP 10

/*
 * Behind 24 bodies, nested_page_fault on VMX still has a second kind of event: two boots
 * differ.
 */
#define EXACT_NESTED_WARMUP 100

/* Multiplications of a pace loop, which is long against the step of any clock. */
#define NOISY_PACE 200000

/* The default limit of one boot. */
#define BOOT_TIMEOUT_NS 10000000000ull

/* The configs of a row in a job without configs: they show the row's subject. */
static const char *const own_configs[] = { "default" };
static const char *const own_pmu_configs[] = { "pmu-off", "pmu-emulated",
					       "pmccntr-passthrough" };

static void own(const struct bench *b, const struct target *t, bool one,
		const char *const **names, size_t *n)
{
	bool has_vm = strcmp(t->ops->kind, "bare") != 0;

	/* On x86_64 the default config has the PMU, if there is one. */
	if (b->needs & NEEDS_PMU && has_vm && t->arch == ARCH_AARCH64) {
		bool only_on = one || b->needs & NEEDS_PMU_ON;

		*names = own_pmu_configs + only_on;
		/* The last config needs a module; the core rows suffice for it. */
		*n = one ? 1 : (b->needs & BENCH_CORE ? 3 : 2) - only_on;
	} else {
		*names = own_configs;
		*n = 1;
	}
}

bool plan_has_bench(const struct target *t, const struct job *job, const struct bench *b)
{
	return b->archs & 1u << t->arch &&
	       (!t->only || b->needs & t->only || job->n_scales);
}

bool plan_has_config(const struct target *t, const struct config *c)
{
	return c->archs & 1u << t->arch;
}

static int add_row(struct plan *plan, const struct job *job, const struct target *t,
		   const struct bench *b, struct boot_scale scale)
{
	const char *const *names = job->configs;
	size_t n = job->n_configs, i;
	struct plan_row *row = &plan->rows[plan->n_rows];

	if (!n)
		own(b, t, job->one_config, &names, &n);
	row->bench = b;
	row->scale = scale;
	row->n_configs = 0;
	row->configs = calloc(n, sizeof(*row->configs));
	if (!row->configs)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const struct config *c = result_find_config(names[i]);

		if (c && plan_has_config(t, c))
			row->configs[row->n_configs++] = c;
	}
	if (row->n_configs)
		plan->n_rows++;
	else
		free(row->configs);
	return 0;
}

static void set_params(struct plan *plan, const struct job *job, const struct target *t)
{
	plan->boots = job->boots ? job->boots : t->default_boots;
	plan->exact = t->exact;
	plan->params.warmup = t->default_warmup;
	plan->params.events = job->events ? job->events : t->default_events;
	plan->params.batches = t->exact ? EXACT_BATCHES : NOISY_BATCHES;
	plan->params.pmc_events = plan->params.events;
	if (t->exact && plan->params.pmc_events > EXACT_PMC_EVENTS)
		plan->params.pmc_events = EXACT_PMC_EVENTS;
	plan->params.spins = t->exact ? 0 : NOISY_SPINS;
	plan->params.pace = t->exact ? 0 : NOISY_PACE;
	plan->params.clock_reads = t->exact ? EXACT_CLOCK_READS : 0;
	/* --events: exactly as many. */
	plan->params.repeat = 0;
	if (t->exact && !job->events)
		plan->params.repeat = t->in_runs ? EXACT_REPEAT_OF_RUNS : EXACT_REPEAT;
	plan->nested_warmup = plan->params.warmup;
	if (t->exact && plan->nested_warmup < EXACT_NESTED_WARMUP)
		plan->nested_warmup = EXACT_NESTED_WARMUP;
	plan->map_params = plan->params;
	plan->map_params.warmup =
		t->exact ? EXACT_MAP_WARMUP : plan->params.warmup / MAP_SHARE;
	plan->map_params.pmc_events = plan->map_params.spins = 0;
	if (!job->events)
		plan->map_params.events /= MAP_SHARE;
	plan->scaled_events = job_scaled_events(job);
	plan->timeout_ns = job->timeout_ns ? job->timeout_ns : BOOT_TIMEOUT_NS;
}

int plan_make(const struct job *job, const struct target *t, struct plan *plan,
	      struct error *err)
{
	const size_t scales = job->n_scales ? job->n_scales : 1;
	size_t i;

	memset(plan, 0, sizeof(*plan));
	set_params(plan, job, t);
	plan->rows = calloc((job->n_benches ? job->n_benches : 1) * scales,
			    sizeof(*plan->rows));
	if (!plan->rows)
		return error_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < job->n_benches * scales; i++) {
		const struct bench *b = result_find_bench(job->benches[i / scales]);
		struct boot_scale scale = { 0, 0 };

		if (!b || !plan_has_bench(t, job, b))
			continue;
		if (job->n_scales)
			scale = job->scales[i % scales];
		if (add_row(plan, job, t, b, scale)) {
			plan_free(plan);
			return error_set(err, -ENOMEM, "out of memory");
		}
	}
	if (plan->n_rows)
		return 0;
	plan_free(plan);
	if (t->only)
		return error_set(err, -ENOENT,
				 "%s has none of these benchmarks and configs", t->name);
	return error_set(err, -ENOENT,
			 "%s: none of these benchmarks and configs exist on %s", t->name,
			 t->arch == ARCH_X86_64 ? "x86_64" : "aarch64");
}

/* The bench_table row's register and direction. */
static void set_operand(const struct bench *row, struct abi_params *params)
{
	const struct pmu_register *r;

	for (r = pmu_table; r->name; r++) {
		bool is_write = r->write_row && !strcmp(row->id, r->write_row);

		if (!is_write && !(r->read_row && !strcmp(row->id, r->read_row)))
			continue;
		params->operand = r->operand;
		params->command = PMU_COMMAND(is_write, r->index, r->write);
	}
}

static uint32_t accuracy_subject(const struct bench *row)
{
	const struct accuracy_row *a;

	for (a = accuracy_table; a->id; a++)
		if (!strcmp(a->id, row->id))
			break;
	return a->subject;
}

void plan_config_name(const struct boot_scale *scale, const struct config *config,
		      char name[PLAN_CONFIG_BYTES])
{
	if (boot_scale_n(scale))
		snprintf(name, PLAN_CONFIG_BYTES, "%s@%s=%u", config->name,
			 scale->vcpus ? "vcpus" : "vms", boot_scale_n(scale));
	else
		snprintf(name, PLAN_CONFIG_BYTES, "%s", config->name);
}

/*
 * The events of all vCPUs fill one series; those of each are as many at every scale of
 * the job, so that their phases are of one length. A row without a scale has the other
 * timing mode and the PMC's phases. The frequency of a CPU can fall because its
 * neighbours are busy, which is a part of what a scale costs.
 */
static void set_scale(const struct plan *plan, struct abi_params *params)
{
	if (params->events > plan->scaled_events)
		params->events = plan->scaled_events;
	params->batch = params->pmc_events = params->spins = params->pace = 0;
}

struct abi_params plan_params(const struct plan *plan, const struct plan_row *of)
{
	const struct bench *row = of->bench;
	struct abi_params params = plan->params;

	if (row->needs & NEEDS_OPERAND) {
		params = plan->map_params;
		set_operand(row, &params);
	}
	params.batch = bench_batch(row, plan->exact);
	/* In its guest, the PMC's set-up would exit to the payload. */
	if (row->needs & NEEDS_NESTED) {
		params.pmc_events = params.spins = 0;
		params.warmup = plan->nested_warmup;
	}
	if (row->needs & NEEDS_COUNTS) {
		params.operand = accuracy_subject(row);
		params.repeat = 0;
	}
	if (boot_scale_n(&of->scale))
		set_scale(plan, &params);
	return params;
}

void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n_rows; i++)
		free(plan->rows[i].configs);
	free(plan->rows);
	plan->rows = NULL;
	plan->n_rows = 0;
}
