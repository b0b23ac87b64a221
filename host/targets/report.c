/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The codec of boot reports, which leave a lab's machine and the VMM of target `kvm`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/targets/target.h"

static bool ends(const char *text, size_t bytes)
{
	return memchr(text, '\0', bytes) != NULL;
}

/* struct boot_report without its pointers. The series follow, phase by phase. */
struct report_head {
	uint32_t outcome;
	uint32_t lanes; /* 1: a struct boot_lanes follows the series */
	struct abi_report guest;
	struct boot_counts counts[ABI_PHASES];
	struct result_statistics statistics;
	int64_t host_counters[6];
	struct boot_waits waits;
	char reason[512];
	char counters_why[160];
	char source[16]; /* of the host's counters; "": not counted */
	char unit[16];	 /* "": the clock's */
};

/* The static strings that a report may point to. */
static const char *const known_texts[] = { "hardware", "software", "cycles", "insns" };

static int find_text(const char *text, size_t bytes, const char **known)
{
	*known = NULL;
	if (!ends(text, bytes))
		return -EBADMSG;
	if (!*text)
		return 0;
	for (size_t i = 0; i < sizeof(known_texts) / sizeof(known_texts[0]); i++)
		if (!strcmp(text, known_texts[i]))
			*known = known_texts[i];
	return *known ? 0 : -EBADMSG;
}

static void copy_text(char *to, size_t bytes, const char *text)
{
	if (text)
		snprintf(to, bytes, "%s", text);
}

/* Values in the block; a report without figures has none. */
static uint64_t series_values(const struct boot_report *rep, int phase)
{
	return rep->series[phase] ? rep->guest.samples[phase] : 0;
}

int boot_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n)
{
	const struct result_host_counters *hc = &rep->host_counters;
	struct report_head *head;
	uint64_t values = 0;
	uint8_t *at;

	for (int phase = 0; phase < ABI_PHASES; phase++)
		values += series_values(rep, phase);
	*n = sizeof(*head) + (values + ABI_PHASES) * sizeof(uint64_t) +
	     (rep->lanes ? sizeof(*rep->lanes) : 0);
	*bytes = calloc(1, *n);
	if (!*bytes)
		return -ENOMEM;
	head = (struct report_head *)(void *)*bytes;
	head->outcome = rep->outcome;
	head->lanes = rep->lanes != NULL;
	head->guest = rep->guest;
	memcpy(head->counts, rep->counts, sizeof(head->counts));
	head->statistics = rep->statistics;
	head->host_counters[0] = hc->guest_cycles;
	head->host_counters[1] = hc->guest_insns;
	head->host_counters[2] = hc->host_cycles;
	head->host_counters[3] = hc->host_insns;
	head->host_counters[4] = hc->task_clock_ns;
	head->host_counters[5] = hc->context_switches;
	head->waits = rep->waits;
	copy_text(head->reason, sizeof(head->reason), rep->reason);
	copy_text(head->counters_why, sizeof(head->counters_why), hc->reason);
	copy_text(head->source, sizeof(head->source), hc->source);
	copy_text(head->unit, sizeof(head->unit), rep->unit);
	at = *bytes + sizeof(*head);
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		uint64_t count = series_values(rep, phase);

		memcpy(at, &count, sizeof(count));
		at += sizeof(count);
		if (count)
			memcpy(at, rep->series[phase], count * sizeof(uint64_t));
		at += count * sizeof(uint64_t);
	}
	if (rep->lanes)
		memcpy(at, rep->lanes, sizeof(*rep->lanes));
	return 0;
}

/* The largest count of a boot: sums over all boots fit, and 100 times it (percent). */
#define COUNT_MAX (1ll << 48)

/* -1: not counted. */
static bool are_counts(const void *counts, size_t bytes)
{
	int64_t n;

	for (size_t at = 0; at < bytes; at += sizeof(n)) {
		memcpy(&n, (const uint8_t *)counts + at, sizeof(n));
		if (n < -1 || n > COUNT_MAX)
			return false;
	}
	return true;
}

/* The counts of one phase. */
static bool are_phase_counts(const struct boot_counts *c)
{
	const int64_t counts[] = { c->exits,	  c->user,
				   c->interrupts, c->involuntary_switches,
				   c->migrations, c->l0_exits };

	return are_counts(counts, sizeof(counts));
}

static bool has_counts(const struct report_head *head)
{
	for (int phase = 0; phase < ABI_PHASES; phase++)
		if (!are_phase_counts(&head->counts[phase]))
			return false;
	return are_counts(&head->statistics, sizeof(head->statistics)) &&
	       are_counts(head->host_counters, sizeof(head->host_counters)) &&
	       are_counts(&head->waits, sizeof(head->waits));
}

/*
 * The lanes fit the events of the report. What a guest counted itself, its exceptions and
 * its exits to L1, is any value: the row fails, not the report.
 */
static int decode_lanes(const uint8_t *at, struct boot_report *rep)
{
	struct boot_lanes *lanes = malloc(sizeof(*lanes));
	uint64_t counted = 0;
	bool ok;

	if (!lanes)
		return -ENOMEM;
	memcpy(lanes, at, sizeof(*lanes));
	ok = lanes->n && lanes->n <= BOOT_SCALE_MAX && lanes->share < BOOT_SHARES &&
	     lanes->span_ns >= -1 && lanes->span_ns <= COUNT_MAX;
	for (uint32_t i = 0; ok && i < lanes->n; i++) {
		const struct boot_lane *lane = &lanes->lane[i];
		uint8_t exact;

		memcpy(&exact, &lane->counts.interrupts_exact, sizeof(exact));
		lanes->lane[i].counts.interrupts_exact = exact != 0;
		ok = are_phase_counts(&lane->counts) && lane->events <= ABI_SERIES_MAX &&
		     lane->counted <= lane->events &&
		     lane->milli_events <= 1000 * lane->events;
		counted += lane->counted;
	}
	if (!ok || (rep->outcome == BOOT_DONE &&
		    counted != rep->guest.samples[ABI_PHASE_EVENT])) {
		free(lanes);
		return -EBADMSG;
	}
	rep->lanes = lanes;
	return 0;
}

static int decode_series(const uint8_t *at, const uint8_t *end, struct boot_report *rep)
{
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		uint64_t count;

		if ((size_t)(end - at) < sizeof(count))
			return -EBADMSG;
		memcpy(&count, at, sizeof(count));
		at += sizeof(count);
		/* Not encoded where a guest failed: no series. */
		if (!count && rep->guest.samples[phase] && rep->outcome != BOOT_DONE)
			continue;
		if (count > ABI_SERIES_MAX || count != rep->guest.samples[phase] ||
		    (size_t)(end - at) < count * sizeof(uint64_t))
			return -EBADMSG;
		rep->series[phase] = malloc(count ? count * sizeof(uint64_t) : 1);
		if (!rep->series[phase])
			return -ENOMEM;
		memcpy(rep->series[phase], at, count * sizeof(uint64_t));
		at += count * sizeof(uint64_t);
	}
	return at == end ? 0 : -EBADMSG;
}

int boot_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep)
{
	struct result_host_counters *hc = &rep->host_counters;
	struct report_head head;
	const char *source, *unit;
	int ret;

	memset(rep, 0, sizeof(*rep));
	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.lanes > 1 || n < sizeof(head) + head.lanes * sizeof(struct boot_lanes))
		return -EBADMSG;
	n -= head.lanes * sizeof(struct boot_lanes);
	if (head.outcome > BOOT_CRASH || !ends(head.reason, sizeof(head.reason)) ||
	    !ends(head.counters_why, sizeof(head.counters_why)) ||
	    find_text(head.source, sizeof(head.source), &source) ||
	    find_text(head.unit, sizeof(head.unit), &unit) || !has_counts(&head))
		return -EBADMSG;
	rep->outcome = (enum boot_outcome)head.outcome;
	rep->guest = head.guest;
	memcpy(rep->counts, head.counts, sizeof(rep->counts));
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		/* A byte from outside is not a bool. */
		uint8_t exact;

		memcpy(&exact, &head.counts[phase].interrupts_exact, sizeof(exact));
		rep->counts[phase].interrupts_exact = exact != 0;
	}
	rep->statistics = head.statistics;
	rep->waits = head.waits;
	memcpy(rep->reason, head.reason, sizeof(rep->reason));
	memcpy(rep->counters_why, head.counters_why, sizeof(rep->counters_why));
	rep->unit = unit;
	*hc = (struct result_host_counters){
		.source = source,
		.reason = *rep->counters_why ? rep->counters_why : NULL,
		.guest_cycles = head.host_counters[0],
		.guest_insns = head.host_counters[1],
		.host_cycles = head.host_counters[2],
		.host_insns = head.host_counters[3],
		.task_clock_ns = head.host_counters[4],
		.context_switches = head.host_counters[5],
	};
	ret = decode_series(bytes + sizeof(head), bytes + n, rep);
	if (!ret && head.lanes)
		ret = decode_lanes(bytes + n, rep);
	if (ret)
		boot_report_free(rep);
	return ret;
}
