/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots on several vCPUs or VMs: their proof, and the metrics that only they have. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/measure/figures.h"

void scale_guest_counts(const struct boot_lanes *lanes, uint64_t *faults,
			uint64_t *l1_exits)
{
	*faults = *l1_exits = 0;
	for (uint32_t i = 0; i < lanes->n; i++) {
		*faults += lanes->lane[i].faults;
		*l1_exits += lanes->lane[i].l1_exits;
	}
}

void scale_judge(const struct assembly *a, const struct boot_lanes *lanes,
		 struct judgement *out, struct boot_counts *c)
{
	*c = (struct boot_counts){ -1, -1, -1, true, -1, -1, -1, -1 };
	for (uint32_t i = 0; i < lanes->n; i++) {
		const struct boot_lane *lane = &lanes->lane[i];
		struct judgement j;

		judge_exits(a->row, a->trust, lane->events, &lane->counts, &j);
		judge_statistic(a->bench, a->claim, a->trust, lane->events, &lane->counts,
				&j);
		judge_faults(a->row, a->trust, lane->events, lane->faults, &j);
		judge_l1(a->row, boot_phase_name(ABI_PHASE_EVENT), lane->events,
			 lane->l1_exits, &j);
		judge_deliveries(a->row, boot_phase_name(ABI_PHASE_EVENT), lane->events,
				 lane->deliveries, &j);
		if (j.proven && !lane->counted) {
			j.proven = false;
			snprintf(j.reason, sizeof(j.reason),
				 "made no event while all others were measuring");
		}
		result_add_count(&c->exits, lane->counts.exits);
		result_add_count(&c->user, lane->counts.user);
		result_add_count(&c->interrupts, lane->counts.interrupts);
		result_add_count(&c->involuntary_switches,
				 lane->counts.involuntary_switches);
		result_add_count(&c->migrations, lane->counts.migrations);
		if (!i) {
			*out = j;
			out->expected = out->observed = -1;
			out->statistic_expected = out->statistic_counted = -1;
			out->proven = true;
		}
		result_add_count(&out->expected, j.expected);
		result_add_count(&out->observed, j.observed);
		result_add_count(&out->statistic_expected, j.statistic_expected);
		result_add_count(&out->statistic_counted, j.statistic_counted);
		if (j.handled_by != out->handled_by)
			out->handled_by = HANDLED_UNKNOWN;
		if (!out->proven || j.proven)
			continue;
		out->proven = false;
		snprintf(out->reason, sizeof(out->reason), "%s %u of %u: %.200s",
			 a->scale.vms ? "VM" : "vCPU", i, lanes->n, j.reason);
	}
}

/* The samples of a lane in a series, sorted, less the lane's cost of a clock read. */
struct lane_net {
	int64_t *net; /* free() it */
	size_t n;
	double median; /* NAN: no samples */
};

static int ascending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * Only the series of the events differ in length. The median of an exact target is a
 * sample: between two middle samples it would be a path that no vCPU executed.
 */
static int find_lane(const struct assembly *a, const struct boot_report *rep,
		     enum abi_phase phase, uint32_t index, struct lane_net *out)
{
	const struct boot_lanes *lanes = rep->lanes;
	const size_t each = rep->guest.samples[phase] / lanes->n;
	const size_t clocks = rep->guest.samples[ABI_PHASE_NULL] / lanes->n;
	size_t from = index * each, middle;
	struct stats_summary empty, all;
	int err = stats_summarize((const int64_t *)rep->series[ABI_PHASE_NULL] +
					  index * clocks,
				  clocks, &empty);

	out->n = each;
	if (phase == ABI_PHASE_EVENT) {
		from = 0;
		for (uint32_t i = 0; i < index; i++)
			from += lanes->lane[i].counted;
		out->n = lanes->lane[index].counted;
	}
	out->net = err ? NULL : calloc(out->n ? out->n : 1, sizeof(*out->net));
	if (!out->net)
		return err ? err : -ENOMEM;
	for (size_t i = 0; i < out->n; i++)
		out->net[i] = (int64_t)rep->series[phase][from + i] -
			      (clocks ? llround(empty.p50) : 0);
	qsort(out->net, out->n, sizeof(*out->net), ascending);
	err = stats_summarize(out->net, out->n, &all);
	middle = out->n ? (out->n - 1) / 2 : 0;
	out->median = a->exact && out->n ? (double)out->net[middle] : all.p50;
	return err;
}

/* `to` of the sorted samples, at equal distances. */
static void thin(const struct lane_net *lane, int64_t *out, size_t to)
{
	for (size_t i = 0; i < to; i++)
		out[i] = lane->net[(2 * i + 1) * lane->n / (2 * to)];
}

int scale_pool(const struct assembly *a, const struct boot_report *rep,
	       enum abi_phase phase, struct scale_pool *out)
{
	const uint32_t n = rep->lanes->n;
	struct lane_net lanes[BOOT_SCALE_MAX] = { 0 };
	double medians[BOOT_SCALE_MAX];
	size_t least = SIZE_MAX, found = 0;
	int err = 0;

	*out = (struct scale_pool){ .median = NAN, .lo = NAN, .hi = NAN };
	for (uint32_t i = 0; i < n && !err; i++) {
		err = find_lane(a, rep, phase, i, &lanes[i]);
		if (err || !lanes[i].n)
			continue;
		least = lanes[i].n < least ? lanes[i].n : least;
		out->lo = fmin(out->lo, lanes[i].median);
		out->hi = fmax(out->hi, lanes[i].median);
		medians[found++] = lanes[i].median;
	}
	out->net = err ? NULL : calloc(found ? found * least : 1, sizeof(*out->net));
	if (!err && !out->net)
		err = -ENOMEM;
	for (uint32_t i = 0; i < n && !err; i++) {
		if (!lanes[i].n)
			continue;
		thin(&lanes[i], out->net + out->n, least);
		out->n += least;
	}
	if (found)
		out->median = a->exact ? medians[0] : stats_median(medians, found);
	for (uint32_t i = 0; i < n; i++)
		free(lanes[i].net);
	return err;
}

/* The events of the vCPU with the longest median. */
static int add_worst(struct assembly *a, const struct boot_report *rep,
		     const struct assemble_boot *of)
{
	const struct assemble_metric metric = { "round_trip_worst", a->unit, "lower" };
	struct lane_net worst = { 0 }, lane;
	const struct result_metric *m;
	int err = 0;

	for (uint32_t i = 0; i < rep->lanes->n && !err; i++) {
		err = find_lane(a, rep, ABI_PHASE_EVENT, i, &lane);
		if (!err && lane.n && (!worst.n || lane.median > worst.median)) {
			free(worst.net);
			worst = lane;
		} else {
			free(lane.net);
		}
	}
	if (!err && worst.n) {
		err = assemble_values(a, &metric, of, worst.net, worst.n, 1);
		m = result_find_metric(&a->result->benchmarks[a->index], metric.name);
		m->boots[m->n_boots - 1].summary.p50 = worst.median;
	}
	free(worst.net);
	return err;
}

/* A metric with one value of a boot, for which integers are too coarse. */
static int add_value(struct assembly *a, const char *name, const char *unit,
		     const struct assemble_boot *of, double value)
{
	const struct assemble_metric metric = { name, unit, "higher" };
	const double parts = 1e6;
	int64_t scaled = llround(value * parts);

	return assemble_values(a, &metric, of, &scaled, 1, parts);
}

/*
 * Operations per second; on exact targets per million ticks of the machine's clock, in
 * each of which every CPU that is awake executes an instruction.
 */
static const char *rate_name(const struct assembly *a)
{
	return a->exact ? "ops_per_mtick" : "ops_per_s";
}

/*
 * The rate of a boot of the same benchmark on one vCPU; NAN. One vCPU of a VM and one VM
 * are the same machine: whichever there is, of both the one of the own kind.
 */
static double single_rate(const struct assembly *a, uint32_t index)
{
	const struct result_benchmark *own = &a->result->benchmarks[a->index], *b = NULL;
	const struct result_metric *m;
	bool is_own = false;
	const size_t prefix = strcspn(own->config, "@");

	for (size_t i = 0; i < a->result->n_benchmarks; i++) {
		const struct result_benchmark *other = &a->result->benchmarks[i];

		if (strcmp(other->name, own->name) != 0 ||
		    strcspn(other->config, "@") != prefix ||
		    strncmp(other->config, own->config, prefix) != 0 ||
		    other->vcpus + other->vms != 1 || is_own)
			continue;
		b = other;
		is_own = (other->vms > 0) == (own->vms > 0);
	}
	m = b ? result_find_metric(b, rate_name(a)) : NULL;
	for (size_t i = 0; m && i < m->n_boots; i++)
		if (m->boots[i].index == index && m->boots[i].valid)
			return m->boots[i].summary.p50;
	return NAN;
}

/*
 * What only a boot with a scale has. The efficiency compares it with the boot on one vCPU
 * of the same round. CPUs that take turns share no time. The clocks of exact targets tick
 * once per nanosecond.
 */
int scale_metrics(struct assembly *a, const struct boot_report *rep,
		  const struct assemble_boot *of)
{
	const struct boot_lanes *lanes = rep->lanes;
	uint64_t counted = 0, events = 0, milli_events = 0;
	double rate, single;
	int err = add_worst(a, rep, of);

	for (uint32_t i = 0; i < lanes->n; i++) {
		counted += lanes->lane[i].counted;
		milli_events += lanes->lane[i].milli_events;
		events += lanes->lane[i].events;
	}
	if (err || lanes->span_ns <= 0 || !events)
		return err;
	rate = (double)milli_events / (double)lanes->span_ns * (a->exact ? 1e3 : 1e6);
	single = lanes->n > 1 ? single_rate(a, of->index) : NAN;
	err = add_value(a, rate_name(a), a->exact ? "ops/Mtick" : "ops/s", of, rate);
	if (!err && single > 0)
		err = add_value(a, "efficiency", "%", of, 100 * rate / lanes->n / single);
	if (!err && lanes->share != BOOT_SHARE_CPUS)
		err = add_value(a, "overlap", "%", of,
				100 * (double)counted / (double)events);
	return err;
}

void scale_note(struct assembly *a, const struct boot_lanes *lanes)
{
	const char *what = a->scale.vms ? "VMs" : "vCPUs";

	if (lanes->share == BOOT_SHARE_CPUS)
		result_warn(a->result, "oversubscribed",
			    "%u %s on fewer CPUs, on which they take turns", lanes->n,
			    what);
	else if (lanes->share == BOOT_SHARE_CORES)
		result_warn(
			a->result, "shared-cores",
			"%u %s on fewer cores: threads of one core slow each other down",
			lanes->n, what);
	a->result->benchmarks[a->index].oversubscribed = lanes->share == BOOT_SHARE_CPUS;
}
