/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots on several vCPUs or VMs: their proof, and the metrics that only they have. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/measure/figures.h"

static void count(int64_t *total, int64_t n)
{
	if (n >= 0)
		*total = (*total < 0 ? 0 : *total) + n;
}

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
	*c = (struct boot_counts){ -1, -1, -1, true, -1, -1, -1 };
	for (uint32_t i = 0; i < lanes->n; i++) {
		const struct boot_lane *lane = &lanes->lane[i];
		struct judgement j;

		judge_exits(a->row, a->trust, lane->events, &lane->counts, &j);
		judge_faults(a->row, lane->events, lane->faults, &j);
		judge_l1(a->row, lane->events, lane->l1_exits, &j);
		if (j.proven && !lane->counted) {
			j.proven = false;
			snprintf(j.reason, sizeof(j.reason),
				 "made no event while all others were measuring");
		}
		count(&c->exits, lane->counts.exits);
		count(&c->user, lane->counts.user);
		count(&c->interrupts, lane->counts.interrupts);
		count(&c->involuntary_switches, lane->counts.involuntary_switches);
		count(&c->migrations, lane->counts.migrations);
		if (!i) {
			*out = j;
			out->expected = out->observed = -1;
			out->proven = true;
		}
		count(&out->expected, j.expected);
		count(&out->observed, j.observed);
		if (j.handled_by != out->handled_by)
			out->handled_by = HANDLED_UNKNOWN;
		if (!out->proven || j.proven)
			continue;
		out->proven = false;
		snprintf(out->reason, sizeof(out->reason), "%s %u of %u: %.200s",
			 a->scale.vms ? "VM" : "vCPU", i, lanes->n, j.reason);
	}
}

static double median_of(const int64_t *values, size_t n)
{
	struct stats_summary s;

	return n && !stats_summarize(values, n, &s) ? s.p50 : -INFINITY;
}

/* The events of the vCPU with the longest median. */
static int add_worst(struct assembly *a, const struct boot_report *rep,
		     const struct assemble_boot *of)
{
	const int64_t *series = (const int64_t *)rep->series[ABI_PHASE_EVENT],
		      *worst = NULL;
	double longest = -INFINITY;
	struct stats_summary empty;
	size_t n = 0;
	int64_t *net;
	int err;

	for (uint32_t i = 0; i < rep->lanes->n; i++) {
		const size_t counted = rep->lanes->lane[i].counted;
		double median = median_of(series, counted);

		if (median > longest) {
			longest = median;
			worst = series;
			n = counted;
		}
		series += counted;
	}
	if (!n)
		return 0;
	err = stats_summarize((const int64_t *)rep->series[ABI_PHASE_NULL],
			      rep->guest.samples[ABI_PHASE_NULL], &empty);
	net = err ? NULL : malloc(n * sizeof(*net));
	if (!net)
		return err ? err : -ENOMEM;
	for (size_t i = 0; i < n; i++)
		net[i] = (int64_t)((uint64_t)worst[i] - (uint64_t)llround(empty.p50));
	err = assemble_values(
		a, &(struct assemble_metric){ "round_trip_worst", a->unit, "lower" }, of,
		net, n, 1);
	free(net);
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
 * ops_per_s of a boot of the same benchmark on one vCPU; NAN. One vCPU of a VM and one VM
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
	m = b ? result_find_metric(b, "ops_per_s") : NULL;
	for (size_t i = 0; m && i < m->n_boots; i++)
		if (m->boots[i].index == index && m->boots[i].valid)
			return m->boots[i].summary.p50;
	return NAN;
}

/*
 * What only a boot with a scale has. The efficiency compares it with the boot on one vCPU
 * of the same round. On exact targets, whose CPUs take turns, no time is shared.
 */
int scale_metrics(struct assembly *a, const struct boot_report *rep,
		  const struct assemble_boot *of)
{
	const struct boot_lanes *lanes = rep->lanes;
	uint64_t counted = 0, events = 0;
	double rate, single;
	int err = add_worst(a, rep, of);

	for (uint32_t i = 0; i < lanes->n; i++) {
		counted += lanes->lane[i].counted;
		events += lanes->lane[i].events;
	}
	if (err || lanes->span_ns <= 0 || !events)
		return err;
	rate = (double)counted / (double)lanes->span_ns * 1e9;
	single = lanes->n > 1 ? single_rate(a, of->index) : NAN;
	err = add_value(a, "ops_per_s", "ops/s", of, rate);
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
