/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the values that a boot reports are possible, and whether the boot counts. */
#include <stdarg.h>
#include <stdio.h>

#include "host/measure/figures.h"
#include "host/targets/target.h"

/*
 * Limits of a sample of either sign and of a number of exceptions: far more than a boot
 * takes (2^52 ticks of 5 GHz are 10 days), while sums and differences of a few samples
 * are exact in int64_t and double.
 */
#define SAMPLE_MAX (1ll << 52)
#define FAULTS_MAX (1ull << 32)

__attribute__((format(printf, 2, 3))) static const char *text_of(const struct assembly *a,
								 const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return result_string(a->result, text);
}

/* What the guest says of a phase. NULL: possible. */
static const char *find_phase_lie(const struct assembly *a, const struct boot_report *rep,
				  enum abi_phase phase)
{
	const uint64_t l1_exits = rep->guest.l1_exits[phase];
	const uint64_t faults = rep->guest.faults[phase];
	const char *name = boot_phase_name(phase);

	if (l1_exits == ABI_L1_EXITS_DIFFER)
		return text_of(
			a,
			"an exit of L2 to L1 in the %s phase has another cause than the first one",
			name);
	if (l1_exits > FAULTS_MAX)
		return text_of(
			a,
			"the guest reports an impossible number of exits to L1: %llu in the %s phase",
			(unsigned long long)l1_exits, name);
	for (uint64_t i = 0; i < rep->guest.samples[phase]; i++) {
		const int64_t sample = (int64_t)rep->series[phase][i];

		if (sample < -SAMPLE_MAX || sample > SAMPLE_MAX)
			return text_of(
				a,
				"the guest reports an impossible sample: %lld, number %llu of the %s phase",
				(long long)sample, (unsigned long long)i, name);
	}
	if (faults > FAULTS_MAX)
		return text_of(
			a,
			"the guest reports an impossible number of exceptions: %llu in the %s phase",
			(unsigned long long)faults, name);
	return NULL;
}

/* The same of what the guest of each vCPU counted of its events. */
static const char *find_lane_lie(const struct assembly *a, const struct boot_lanes *lanes)
{
	for (uint32_t i = 0; lanes && i < lanes->n; i++) {
		const struct boot_lane *lane = &lanes->lane[i];
		const char *lie = NULL;

		if (lane->l1_exits == ABI_L1_EXITS_DIFFER)
			lie = "an exit of L2 to L1 in the event phase has another cause than the first one";
		else if (lane->l1_exits > FAULTS_MAX)
			lie = "the guest reports an impossible number of exits to L1 in the event phase";
		else if (lane->faults > FAULTS_MAX)
			lie = "the guest reports an impossible number of exceptions in the event phase";
		if (lie)
			return text_of(a, "%s %u of %u: %s", a->scale.vms ? "VM" : "vCPU",
				       i, lanes->n, lie);
	}
	return NULL;
}

const char *accept_report(const struct assembly *a, const struct boot_report *rep)
{
	const char *lie = NULL;

	if (rep->guest.clock_step > RESULT_RESOLUTION_MAX)
		return text_of(a,
			       "the guest reports an impossible step of the clock: %llu",
			       (unsigned long long)rep->guest.clock_step);
	for (int phase = 0; phase < ABI_PHASES && !lie; phase++)
		lie = find_phase_lie(a, rep, (enum abi_phase)phase);
	return lie ? lie : find_lane_lie(a, rep->lanes);
}

/*
 * Where KVM is in a guest: exits of that guest for one event. The empty phase has those
 * of the doorbells; a timer tick adds a few, fewer than half as many as events.
 */
static int64_t traps_to_l0(const struct boot_report *rep, const struct bench *row)
{
	const int64_t all = rep->counts[ABI_PHASE_EVENT].l0_exits;
	const int64_t none = rep->counts[ABI_PHASE_NULL].l0_exits;
	const int64_t events = (int64_t)rep->guest.samples[ABI_PHASE_EVENT];

	if (row->needs & NEEDS_NESTED || all < 0 || none < 0 || !events)
		return -1;
	return all > none ? (all - none + events / 2) / events : 0;
}

/* Bodies that a phase ran: a twin exits to no hypervisor and delivers no interrupt. */
static uint64_t bodies_of(const struct assembly *a, const struct abi_report *guest,
			  enum abi_phase phase)
{
	switch (phase) {
	case ABI_PHASE_WARMUP:
		return a->params->warmup;
	case ABI_PHASE_EVENT:
	case ABI_PHASE_PMC:
		return guest->samples[phase];
	case ABI_PHASE_BATCH:
		return 3ull * a->params->batch * guest->samples[phase];
	default:
		return 0;
	}
}

static void judge_phases(const struct assembly *a, const struct abi_report *guest,
			 struct judgement *j)
{
	for (int i = ABI_PHASE_WARMUP; i <= ABI_PHASE_PMC; i++) {
		const enum abi_phase phase = (enum abi_phase)i;

		/* A PMC that does not count ends without samples. */
		if (phase == ABI_PHASE_PMC && !guest->samples[phase])
			continue;
		judge_l1(a->row, boot_phase_name(phase), bodies_of(a, guest, phase),
			 guest->l1_exits[phase], j);
		judge_deliveries(a->row, boot_phase_name(phase),
				 bodies_of(a, guest, phase), guest->deliveries[phase], j);
	}
}

static void judge_boot(const struct assembly *a, const struct boot_report *rep,
		       struct judgement *j, struct boot_counts *c)
{
	const uint64_t events = rep->guest.samples[ABI_PHASE_EVENT];

	*c = rep->counts[ABI_PHASE_EVENT];
	judge_exits(a->row, a->trust, events, c, j);
	judge_statistic(a->bench, a->claim, a->trust, events, c, j);
	judge_faults(a->row, a->trust, events, rep->guest.faults[ABI_PHASE_EVENT], j);
	judge_phases(a, &rep->guest, j);
}

const char *accept_boot(const struct assembly *a, const struct boot_report *rep,
			struct judgement *j, struct boot_counts *c)
{
	if (rep->lanes)
		scale_judge(a, rep->lanes, j, c);
	else
		judge_boot(a, rep, j, c);
	/* On a bare machine there is nothing that could trap. */
	if (a->trust != JUDGE_NO_HYPERVISOR)
		judge_twin(a->row, rep, j);
	if (!j->proven)
		return result_string(a->result, j->reason);
	if (j->traps < 0)
		j->traps = traps_to_l0(rep, a->row);
	/* A series that the host times is far longer than an event, and may be unpinned.
	 */
	if (!a->exact && c->migrations > 0 && !(a->row->needs & TIMED_BY_HOST) &&
	    !a->result->benchmarks[a->index].oversubscribed)
		return "the vCPU thread moved to another CPU";
	/* A software KVM interprets the loop, whose time does not show the frequency. */
	if (!a->exact && a->trust != JUDGE_USER_ONLY &&
	    a->pace_spread > JUDGE_PACE_TOLERANCE)
		return text_of(
			a,
			"the CPU's frequency moved against the clock: the same loop took up to %.1f %% longer",
			100 * a->pace_spread);
	return NULL;
}
