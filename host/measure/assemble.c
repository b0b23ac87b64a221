/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the samples of boots to the metrics of a benchmark. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/measure/figures.h"
#include "host/measure/measure.h"
#include "host/targets/target.h"

/* The metrics of every benchmark, in this order. */
enum metric {
	METRIC_ROUND_TRIP,
	METRIC_ROUND_TRIP_BATCH,
	METRIC_TWIN,
	METRICS,
};

static const struct {
	const char *name;
	enum abi_phase phase, empty; /* the median of `empty` is subtracted */
} metrics[METRICS] = {
	[METRIC_ROUND_TRIP] = { "round_trip", ABI_PHASE_EVENT, ABI_PHASE_NULL },
	[METRIC_ROUND_TRIP_BATCH] = { RESULT_BATCH, ABI_PHASE_BATCH,
				      ABI_PHASE_BATCH_NULL },
	[METRIC_TWIN] = { "twin", ABI_PHASE_TWIN, ABI_PHASE_NULL },
};

static struct result_benchmark *benchmark_of(const struct assembly *a)
{
	return &a->result->benchmarks[a->index];
}

void assemble_begin(struct assembly *a, const struct bench *row,
		    const struct config *config)
{
	struct result_benchmark *b = result_add_benchmark(a->result);
	const char *skip;

	a->under = judge_row(row, config, a->result, &skip);
	pmu_expect(&a->under, config, a->result);
	a->bench = row;
	a->row = &a->under;
	a->index = a->result->n_benchmarks - 1;
	b->name = a->row->id;
	if (boot_scale_n(&a->scale)) {
		char name[PLAN_CONFIG_BYTES];

		plan_config_name(&a->scale, config, name);
		b->config = result_string(a->result, name);
	} else {
		b->config = config->name;
	}
	b->vcpus = a->scale.vcpus;
	b->vms = a->scale.vms;
	b->group = a->row->group;
	b->handled_by = a->row->handled_by > HANDLED_UNKNOWN ? HANDLED_UNKNOWN
							     : a->row->handled_by;
	b->status = RESULT_OK;
	b->exits = (struct result_exits){ -1, -1, -1, -1, 0, -1, { NULL, -1, -1 } };
	if (a->claim && a->trust != JUDGE_NO_HYPERVISOR)
		b->exits.statistic.name = bench_statistic_table[a->claim->statistic].name;
	b->statistics = RESULT_STATISTICS_NONE;
	b->host_counters = RESULT_HOST_COUNTERS_NONE;
	if (skip)
		assemble_stop(a, RESULT_SKIP, skip);
}

static void scale(struct stats_summary *s, double by)
{
	s->min *= by;
	s->max *= by;
	s->mean *= by;
	s->sd *= by;
	s->mad *= by;
	s->p1 *= by;
	s->p5 *= by;
	s->p25 *= by;
	s->p50 *= by;
	s->p75 *= by;
	s->p90 *= by;
	s->p95 *= by;
	s->p99 *= by;
	s->p99_9 *= by;
}

/* Each value of `net` is of `bodies` bodies. Overwrites `net`. */
static int summarize_net(int64_t *net, size_t n, double bodies, struct result_boot *boot)
{
	int err = stats_summarize(net, n, &boot->summary);
	size_t i;

	scale(&boot->summary, 1 / bodies);
	for (i = 0; i < n; i++)
		net[i] = llround((double)net[i] / bodies);
	return err ? err : histogram_build(net, n, HISTOGRAM_BITS, &boot->histogram);
}

/* The step of the clock, in its unit; instructions are counted one by one. */
static double quantum(const struct assembly *a)
{
	uint64_t step = a->exact ? 1 : a->result->clock.resolution;

	return step ? (double)step : 1;
}

static int diagnose(struct assembly *a, struct result_boot *boot, const int64_t *net,
		    size_t n)
{
	int err;

	a->estimate.result = a->result;
	a->estimate.quantum = quantum(a);
	/* Of several vCPUs, the events are not in the order of time. */
	if (boot_scale_n(&a->scale))
		return estimate_kinds(&a->estimate, boot, net, n);
	err = estimate_steady(&a->estimate, boot, net, n);
	/* An exact target has no noise to resample. */
	if (!err && boot->valid && !a->exact)
		err = estimate_keep(&a->estimate, net, n);
	return err;
}

/* A sample less the cost of reading the clock: may be negative. */
static int64_t less(uint64_t sample, int64_t cost)
{
	return (int64_t)(sample - (uint64_t)cost);
}

static struct result_metric *metric_at(struct assembly *a, const char *name,
				       const char *unit)
{
	struct result_benchmark *b = benchmark_of(a);
	struct result_metric *new;
	size_t i;

	for (i = 0; i < b->n_metrics; i++)
		if (!strcmp(b->metrics[i].name, name))
			return &b->metrics[i];
	new = result_add_metric(a->result, b);
	new->name = name;
	new->unit = unit;
	new->better = "lower";
	new->value = NAN;
	new->stat = "median-of-boot-medians";
	new->ci.lo = new->ci.hi = NAN;
	return new;
}

/* A boot with a scale: its figure is one of its vCPUs, not one of their events. */
static int summarize_scaled(struct assembly *a, enum metric m,
			    const struct boot_report *rep, struct result_boot *boot)
{
	struct result_metric *metric = metric_at(a, metrics[m].name, a->unit);
	struct scale_pool pool;
	int err = scale_pool(a, rep, metrics[m].phase, &pool);

	if (!err)
		err = summarize_net(pool.net, pool.n, 1, boot);
	boot->summary.p50 = pool.median;
	if (boot->valid && a->exact) {
		metric->ci.lo = fmin(metric->ci.lo, pool.lo);
		metric->ci.hi = fmax(metric->ci.hi, pool.hi);
	}
	if (!err && m == METRIC_ROUND_TRIP)
		err = diagnose(a, boot, pool.net, pool.n);
	free(pool.net);
	return err;
}

/*
 * The phase of an exact target ends with two equal batches: what came before them, such
 * as batches with a tick of the kernel's timer, is not the length of the path.
 */
static int summarize_batches(const struct assembly *a, int64_t *net, size_t n,
			     struct result_boot *boot)
{
	const bool repeats = a->params->repeat && n > 2 && net[n - 1] == net[n - 2];

	if (repeats)
		return summarize_net(net + n - 2, 2, a->params->batch, boot);
	return summarize_net(net, n, a->params->batch, boot);
}

static int summarize(struct assembly *a, enum metric m, const struct boot_report *rep,
		     struct result_boot *boot)
{
	size_t n = rep->guest.samples[metrics[m].phase], i;
	struct stats_summary empty;
	int64_t *net, overhead;
	int err;

	err = stats_summarize((const int64_t *)rep->series[metrics[m].empty],
			      rep->guest.samples[metrics[m].empty], &empty);
	if (err)
		return err;
	net = malloc(n ? n * sizeof(*net) : 1);
	if (!net)
		return -ENOMEM;
	overhead = n && !(a->row->needs & FROM_DEADLINE) ? llround(empty.p50) : 0;
	for (i = 0; i < n; i++)
		net[i] = less(rep->series[metrics[m].phase][i], overhead);
	/* An event is one body; a sample of a batch is `batch` of them. */
	if (m == METRIC_ROUND_TRIP_BATCH)
		err = summarize_batches(a, net, n, boot);
	else
		err = summarize_net(net, n, 1, boot);
	if (!err && m == METRIC_ROUND_TRIP)
		err = diagnose(a, boot, net, n);
	free(net);
	return err;
}

/* The clock's own cost, and its step, over all boots of all benchmarks of the run. */
static void note_clock(struct assembly *a, const struct boot_report *rep)
{
	struct result_clock *clock = &a->result->clock;
	int64_t seen = (int64_t)rep->guest.clock_step;
	struct stats_summary s;
	uint64_t step;

	if (!clock->hz)
		clock->hz = rep->guest.clock_hz;
	/*
	 * A clock read takes many of its steps: what all differences have in common
	 * is the step, the smallest difference is not. The guest has looked between
	 * reads that are unequally far apart; one row's events may be all alike.
	 */
	step = stats_step(&seen, 1, clock->resolution);
	if (!(a->row->needs & FROM_DEADLINE))
		step = stats_step((const int64_t *)rep->series[ABI_PHASE_EVENT],
				  rep->guest.samples[ABI_PHASE_EVENT], step);
	/* Of a guest that saw no step: equal samples do not show one either. */
	if (step <= RESULT_RESOLUTION_MAX)
		clock->resolution = step;
	if (clock->resolution && clock->hz)
		clock->steps_hz = clock->hz / clock->resolution;
	if (rep->guest.clock_least && (!clock->least_difference ||
				       rep->guest.clock_least < clock->least_difference))
		clock->least_difference = rep->guest.clock_least;
	if (stats_summarize((const int64_t *)rep->series[ABI_PHASE_NULL],
			    rep->guest.samples[ABI_PHASE_NULL], &s) ||
	    !s.n)
		return;
	clock->overhead_min = fmin(clock->overhead_min, s.min);
	clock->overhead_median = fmin(clock->overhead_median, s.p50);
}

static struct result_boot *add_boot(struct assembly *a, const char *name,
				    const char *unit, uint32_t index, const char *reject,
				    const struct boot_counts *c)
{
	struct result_boot *boot = result_add_boot(a->result, metric_at(a, name, unit));

	boot->index = index;
	boot->valid = !reject;
	boot->reject_reason = reject;
	boot->interrupts = c->interrupts;
	boot->involuntary_switches = c->involuntary_switches;
	boot->migrations = c->migrations;
	boot->pace_spread = a->pace_spread;
	return boot;
}

int assemble_values(struct assembly *a, const struct assemble_metric *metric,
		    const struct assemble_boot *of, int64_t *values, size_t n,
		    double bodies)
{
	int err = summarize_net(values, n, bodies,
				add_boot(a, metric->name, metric->unit, of->index,
					 of->reject, of->counts));

	metric_at(a, metric->name, metric->unit)->better = metric->better;
	return err;
}

/* The metrics of the guest's own PMC, where it has one. */
static int assemble_visible(struct assembly *a, uint32_t index,
			    const struct boot_report *rep, const char *reject)
{
	const struct boot_counts *c = &rep->counts[ABI_PHASE_PMC];
	struct visible v;
	const char *why;
	int err = visible_compute(a->row, a->trust, a->exact, rep, &v);

	why = *v.reason ? result_string(a->result, v.reason) : NULL;
	if (!err && v.n && !reject && !v.proven)
		reject = why;
	if (!err && v.n)
		err = summarize_net(v.visible, v.n, 1,
				    add_boot(a, "pmc_visible",
					     a->exact ? a->unit : "cycles", index, reject,
					     c));
	if (!err && v.hidden)
		err = summarize_net(v.hidden, v.n, 1,
				    add_boot(a, "pmc_hidden", a->unit, index, reject, c));
	else if (!err && v.n)
		metric_at(a, "pmc_hidden", a->unit)->reason = why;
	visible_free(&v);
	return err;
}

/* One metric of a row that counts. Overwrites `values`. */
static int add_counts(struct assembly *a, const char *name, uint32_t index,
		      const char *reject, const struct boot_report *rep, int64_t *values)
{
	return summarize_net(values, rep->guest.samples[ABI_PHASE_EVENT], 1,
			     add_boot(a, name, "counts", index, reject,
				      &rep->counts[ABI_PHASE_EVENT]));
}

/* Rows whose samples are counts of a PMC; samples of the twin are expected counts. */
static int assemble_counts(struct assembly *a, uint32_t index,
			   const struct boot_report *rep, const char *reject)
{
	size_t n = rep->guest.samples[ABI_PHASE_EVENT], i;
	const uint64_t *expected = rep->series[ABI_PHASE_TWIN];
	int64_t *values = calloc(n ? n : 1, sizeof(*values));
	struct stats_summary looks = { .n = 0 };
	int err = -ENOMEM;

	if (values)
		err = stats_summarize((const int64_t *)rep->series[ABI_PHASE_NULL], n,
				      &looks);
	/* The error is the absolute difference. */
	for (i = 0; !err && i < n; i++)
		values[i] = llabs(less(rep->series[ABI_PHASE_EVENT][i] - expected[i],
				       llround(looks.p50)));
	if (!err)
		err = add_counts(a, "error", index, reject, rep, values);
	for (i = 0; !err && i < n; i++)
		values[i] = less(rep->series[ABI_PHASE_EVENT][i], llround(looks.p50));
	if (!err)
		err = add_counts(a, "counted", index, reject, rep, values);
	for (i = 0; !err && i < n; i++)
		values[i] = (int64_t)expected[i];
	if (!err)
		err = add_counts(a, "expected", index, reject, rep, values);
	free(values);
	return err;
}

/*
 * How often and how long the thread of a host-timed row waited: a value of the boot. On
 * exact targets only of a row that waited: its figure is not a path length.
 */
static int assemble_waits(struct assembly *a, uint32_t index,
			  const struct boot_report *rep, const char *reject)
{
	const struct boot_waits *w = &rep->waits;
	const struct boot_counts *c = &rep->counts[ABI_PHASE_EVENT];
	int64_t waits = w->switches, blocked_ns = less((uint64_t)w->wall_ns, w->cpu_ns);
	int err;

	if (!w->events || (a->exact ? w->switches <= 0 : w->wall_ns <= 0))
		return 0;
	err = summarize_net(&waits, 1, (double)w->events,
			    add_boot(a, "waits", "switches", index, reject, c));
	return err || a->exact
		       ? err
		       : summarize_net(&blocked_ns, 1, (double)w->wall_ns / 100,
				       add_boot(a, "blocked", "%", index, reject, c));
}

/* Adds what the guest counted of its events. */
static void add_guest_counts(const struct assembly *a, const struct boot_report *rep)
{
	struct result_exits *exits = &benchmark_of(a)->exits;
	uint64_t faults = rep->guest.faults[ABI_PHASE_EVENT];
	uint64_t l1_exits = rep->guest.l1_exits[ABI_PHASE_EVENT];

	if (rep->lanes)
		scale_guest_counts(rep->lanes, &faults, &l1_exits);
	exits->faults += (int64_t)faults;
	if (a->row->needs & NEEDS_NESTED)
		result_add_count(&exits->l1, (int64_t)l1_exits);
}

int assemble_boot(struct assembly *a, uint32_t index, const struct boot_report *rep)
{
	const char *lie = accept_report(a, rep);
	struct result_benchmark *b = benchmark_of(a);
	struct boot_counts counts;
	const struct boot_counts *c = &counts;
	struct judgement j;
	const char *reject, *unit;
	int m, err;

	if (lie) {
		assemble_stop(a, RESULT_FAIL, lie);
		return 0;
	}
	if (rep->lanes)
		scale_note(a, rep->lanes);
	a->pace_spread = judge_pace(&rep->guest);
	reject = accept_boot(a, rep, &j, &counts);
	if (a->trust != JUDGE_HOST_TIMED && !(a->row->needs & NEEDS_COUNTS))
		note_clock(a, rep);
	b->handled_by = j.handled_by;
	result_add_count(&b->exits.expected, j.expected);
	result_add_count(&b->exits.observed, j.observed);
	result_add_count(&b->exits.statistic.expected, j.statistic_expected);
	result_add_count(&b->exits.statistic.counted, j.statistic_counted);
	result_add_count(&b->exits.user, c->user);
	result_add_count(&b->exits.interrupts, c->interrupts);
	result_statistics_add(&b->statistics, &rep->statistics);
	result_host_counters_add(&b->host_counters, &rep->host_counters);
	/* The text is freed with the report. */
	b->host_counters.reason = result_string(a->result, b->host_counters.reason);
	add_guest_counts(a, rep);
	if (a->row->needs & NEEDS_COUNTS)
		return assemble_counts(a, index, rep, reject);
	/* Instructions of a lab are not cycles, whatever the unit of its PMU. */
	unit = rep->unit && !a->exact ? rep->unit : a->unit;
	for (m = 0; m < METRICS; m++) {
		struct result_boot *boot;

		/*
		 * Host-timed rows have one series only. If vCPUs were never in the phase
		 * at the same time, no event counts; the boot is rejected, and recorded.
		 */
		if (!rep->guest.samples[metrics[m].phase] &&
		    !(rep->lanes && m == METRIC_ROUND_TRIP))
			continue;
		boot = add_boot(a, metrics[m].name, unit, index, reject, c);
		err = rep->lanes ? summarize_scaled(a, m, rep, boot)
				 : summarize(a, m, rep, boot);
		if (err)
			return err;
	}
	/* One value of a boot: every event has it. */
	if (j.traps >= 0) {
		err = summarize_net(
			&j.traps, 1, 1,
			add_boot(a, "traps_per_op", "traps", index, reject, c));
		if (err)
			return err;
	}
	if (rep->lanes)
		return scale_metrics(a, rep, &(struct assemble_boot){ index, reject, c });
	err = assemble_waits(a, index, rep, reject);
	return err ? err : assemble_visible(a, index, rep, reject);
}

void assemble_stop(struct assembly *a, enum result_status status, const char *reason)
{
	struct result_benchmark *b = benchmark_of(a);

	b->status = status;
	b->reason = result_string(a->result, reason);
}

void assemble_end(struct assembly *a)
{
	struct result_benchmark *b = benchmark_of(a);
	size_t i, valid = 0;

	a->estimate.result = a->result;
	a->estimate.quantum = quantum(a);
	a->estimate.exact = a->exact;
	a->estimate.seed = a->seed;
	/*
	 * Host-timed rows work on state of the host that differs from boot to boot, and
	 * writes of PMU registers create and free perf events.
	 */
	a->estimate.repeats =
		a->trust != JUDGE_HOST_TIMED && a->row->handled_by != HANDLED_OBSERVED;
	if (b->status == RESULT_OK && b->n_metrics)
		for (i = 0; i < b->n_metrics; i++)
			estimate_metric(&a->estimate, b, &b->metrics[i]);
	estimate_forget(&a->estimate);
	if (b->status != RESULT_OK || !b->n_metrics)
		return;
	for (i = 0; i < b->metrics[0].n_boots; i++)
		valid += b->metrics[0].boots[i].valid;
	if (!valid)
		assemble_stop(a, RESULT_FAIL, b->metrics[0].boots[0].reject_reason);
	else
		estimate_modes(&a->estimate, b);
}
