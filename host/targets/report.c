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

/*
 * A packed block: the number of its words, then tokens of a number of words, a number of
 * repeats of the last of them (or of the token before, or of 0), and these words. The
 * samples of an exact target repeat, and a report has more counts that are -1 and unused
 * text than anything else; each byte costs an emulated machine some instructions.
 */
struct token {
	uint16_t words, repeats;
};

#define TOKEN_MAX UINT16_MAX

/* More words than any report has. */
#define WORDS_MAX                                                                        \
	((sizeof(struct report_head) + sizeof(struct boot_lanes)) / sizeof(uint64_t) +   \
	 ABI_PHASES * (ABI_SERIES_MAX + UINT64_C(1)))

_Static_assert(sizeof(struct report_head) % sizeof(uint64_t) == 0 &&
		       sizeof(struct boot_lanes) % sizeof(uint64_t) == 0,
	       "a report is words");

static int pack(const uint64_t *words, uint32_t n, uint8_t **bytes, size_t *n_bytes)
{
	/* A token has two repeats at least, unless it is full or the last one. */
	uint8_t *at = malloc(sizeof(n) + n * sizeof(*words) +
			     (n / 2 + n / TOKEN_MAX + 2) * sizeof(struct token));
	uint64_t last = 0;

	*bytes = at;
	if (!at)
		return -ENOMEM;
	memcpy(at, &n, sizeof(n));
	at += sizeof(n);
	for (uint32_t i = 0, from; i < n;) {
		struct token t = { 0, 0 };

		for (from = i; i < n && t.words < TOKEN_MAX; i++, t.words++) {
			if (words[i] == last && i + 1 < n && words[i + 1] == last)
				break;
			last = words[i];
		}
		for (; i < n && words[i] == last && t.repeats < TOKEN_MAX; i++)
			t.repeats++;
		memcpy(at, &t, sizeof(t));
		at += sizeof(t);
		memcpy(at, words + from, t.words * sizeof(*words));
		at += t.words * sizeof(*words);
	}
	*n_bytes = (size_t)(at - *bytes);
	return 0;
}

/* The caller frees `words`. */
static int unpack(const uint8_t *bytes, size_t n_bytes, uint64_t **words, uint32_t *n)
{
	const uint8_t *end = bytes + n_bytes;
	uint64_t last = 0;
	uint32_t i = 0;

	*words = NULL;
	if (n_bytes < sizeof(*n))
		return -EBADMSG;
	memcpy(n, bytes, sizeof(*n));
	bytes += sizeof(*n);
	if (!*n || *n > WORDS_MAX)
		return -EBADMSG;
	*words = malloc(*n * sizeof(**words));
	if (!*words)
		return -ENOMEM;
	while (bytes < end) {
		struct token t;

		if ((size_t)(end - bytes) < sizeof(t))
			return -EBADMSG;
		memcpy(&t, bytes, sizeof(t));
		bytes += sizeof(t);
		if ((size_t)(end - bytes) < t.words * sizeof(**words) ||
		    t.words + (uint32_t)t.repeats > *n - i)
			return -EBADMSG;
		memcpy(*words + i, bytes, t.words * sizeof(**words));
		bytes += t.words * sizeof(**words);
		i += t.words;
		last = t.words ? (*words)[i - 1] : last;
		for (; t.repeats; t.repeats--)
			(*words)[i++] = last;
	}
	return i == *n ? 0 : -EBADMSG;
}

int boot_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n)
{
	const struct result_host_counters *hc = &rep->host_counters;
	struct report_head *head;
	uint64_t values = 0, *words;
	size_t n_words;
	uint8_t *at;
	int ret;

	for (int phase = 0; phase < ABI_PHASES; phase++)
		values += series_values(rep, phase);
	n_words = (sizeof(*head) + (rep->lanes ? sizeof(*rep->lanes) : 0)) /
			  sizeof(*words) +
		  values + ABI_PHASES;
	words = calloc(n_words, sizeof(*words));
	if (!words)
		return -ENOMEM;
	head = (struct report_head *)(void *)words;
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
	at = (uint8_t *)(head + 1);
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
	ret = pack(words, (uint32_t)n_words, bytes, n);
	free(words);
	return ret;
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
				   c->migrations, c->l0_exits,
				   c->statistic };

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

static int decode(const uint8_t *bytes, size_t n, struct boot_report *rep)
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

int boot_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep)
{
	uint64_t *words;
	uint32_t n_words;
	int ret = unpack(bytes, n, &words, &n_words);

	memset(rep, 0, sizeof(*rep));
	if (!ret)
		ret = decode((const uint8_t *)words, n_words * sizeof(*words), rep);
	free(words);
	return ret;
}
