/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reports of the guests of a scaled boot as one.
 *
 * Phases do not end together. An event counts if it was made between the latest begin and
 * the earliest end of the EVENT phase: while all vCPUs were in it. The events of a phase
 * follow each other, so that the place of an event in the phase is the share of the
 * samples before it. Where vCPUs take turns, on fewer CPUs or on a machine whose CPUs do,
 * they are never in it at the same time, and all events count.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/targets/kvm.h"

/*
 * The events of a lane between two moments, to half a nanosecond: [*from, *to). Returns
 * their number in thousandths, with the parts of the events at both moments.
 */
static uint64_t find_events(const struct kvm_lane *lane, int64_t begin_ns, int64_t end_ns,
			    size_t *from, size_t *to)
{
	const uint64_t *series = lane->report.series[ABI_PHASE_EVENT];
	const size_t n = lane->report.guest.samples[ABI_PHASE_EVENT];
	const double length = (double)(lane->end_ns - lane->begin_ns);
	double whole = 0, before = 0, inside = 0;

	*from = *to = 0;
	for (size_t i = 0; i < n; i++)
		whole += (double)series[i];
	if (whole <= 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const double after = before + (double)series[i];
		const double first = (double)lane->begin_ns + length * before / whole;
		const double last = (double)lane->begin_ns + length * after / whole;

		if (first < (double)begin_ns - 0.5)
			*from = i + 1;
		if (last < (double)end_ns + 0.5)
			*to = i + 1;
		if (last > first)
			inside += fmax(0, fmin(last, (double)end_ns) -
						  fmax(first, (double)begin_ns)) /
				  (last - first);
		before = after;
	}
	if (*to < *from)
		*to = *from;
	return (uint64_t)llround(inside * 1000);
}

/* Room for the series of all lanes. */
static int make_room(const struct kvm_lane *lanes, unsigned int n,
		     struct boot_report *rep)
{
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		uint64_t samples = 0;

		for (unsigned int i = 0; i < n; i++)
			samples += lanes[i].report.guest.samples[phase];
		rep->guest.samples[phase] = 0;
		rep->series[phase] = calloc(samples + 1, sizeof(uint64_t));
		if (!rep->series[phase])
			return -ENOMEM;
	}
	return 0;
}

/* Appends [from, to) of a series of `of`. */
static void append(struct boot_report *rep, const struct boot_report *of,
		   enum abi_phase phase, size_t from, size_t to)
{
	memcpy(rep->series[phase] + rep->guest.samples[phase], of->series[phase] + from,
	       (to - from) * sizeof(uint64_t));
	rep->guest.samples[phase] += to - from;
}

int kvm_lanes_merge(const struct kvm_lane *lanes, unsigned int n, enum boot_share share,
		    bool takes_turns, struct boot_report *rep)
{
	const bool turns = takes_turns || share == BOOT_SHARE_CPUS;
	/* While all were in the phase, and while any was. */
	int64_t begin_ns = INT64_MIN, end_ns = INT64_MAX;
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;

	rep->guest = lanes[0].report.guest;
	rep->lanes = calloc(1, sizeof(*rep->lanes));
	if (!rep->lanes || make_room(lanes, n, rep))
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		const struct kvm_lane *lane = &lanes[i];

		begin_ns = lane->begin_ns > begin_ns ? lane->begin_ns : begin_ns;
		end_ns = lane->end_ns < end_ns ? lane->end_ns : end_ns;
		first_ns = lane->begin_ns < first_ns ? lane->begin_ns : first_ns;
		last_ns = lane->end_ns > last_ns ? lane->end_ns : last_ns;
	}
	rep->lanes->n = n;
	rep->lanes->share = share;
	if (turns)
		rep->lanes->span_ns = takes_turns ? -1 : last_ns - first_ns;
	else
		rep->lanes->span_ns = end_ns > begin_ns ? end_ns - begin_ns : 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct boot_report *of = &lanes[i].report;
		struct boot_lane *lane = &rep->lanes->lane[i];
		size_t from = 0, to = of->guest.samples[ABI_PHASE_EVENT];

		lane->events = to;
		lane->faults = of->guest.faults[ABI_PHASE_EVENT];
		lane->l1_exits = of->guest.l1_exits[ABI_PHASE_EVENT];
		lane->deliveries = of->guest.deliveries[ABI_PHASE_EVENT];
		lane->counts = of->counts[ABI_PHASE_EVENT];
		lane->milli_events =
			turns ? 1000 * to
			      : find_events(&lanes[i], begin_ns, end_ns, &from, &to);
		lane->counted = to - from;
		append(rep, of, ABI_PHASE_EVENT, from, to);
		append(rep, of, ABI_PHASE_NULL, 0, of->guest.samples[ABI_PHASE_NULL]);
		append(rep, of, ABI_PHASE_TWIN, 0, of->guest.samples[ABI_PHASE_TWIN]);
	}
	rep->outcome = BOOT_DONE;
	return 0;
}
