/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: encoding and sending, receiving and checking; and the codec of boot reports. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/lab/wire.h"
#include "host/targets/lab/shared.h"

uint32_t lab_get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void lab_put_le32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> (8 * i) & 0xff;
}

static uint32_t crc_of(const uint8_t *p, size_t bytes)
{
	return crc32(crc32(0, NULL, 0), p, bytes);
}

int lab_frame_encode(enum lab_frame_type type, const void *payload, size_t bytes,
		     uint8_t **frame, size_t *frame_bytes)
{
	uLongf stored;
	uint8_t *f;

	if (bytes > LAB_FRAME_RAW_MAX)
		return -EMSGSIZE;
	stored = compressBound(bytes);
	f = malloc(LAB_FRAME_HEADER_BYTES + stored);
	if (!f)
		return -ENOMEM;
	/* Level 1: an emulated CPU compresses. */
	if (compress2(f + LAB_FRAME_HEADER_BYTES, &stored, payload, bytes, 1) != Z_OK) {
		free(f);
		return -ENOMEM;
	}
	if (stored > LAB_FRAME_STORED_MAX) {
		free(f);
		return -EMSGSIZE;
	}
	lab_put_le32(f, LAB_FRAME_MAGIC);
	lab_put_le32(f + 4, type);
	lab_put_le32(f + 8, stored);
	lab_put_le32(f + 12, bytes);
	lab_put_le32(f + 16, crc_of(f + LAB_FRAME_HEADER_BYTES, stored));
	lab_put_le32(f + 20, crc_of(f, 20));
	*frame = f;
	*frame_bytes = LAB_FRAME_HEADER_BYTES + stored;
	return 0;
}

int lab_wire_send(struct lab_wire *wire, enum lab_frame_type type, const void *payload,
		  size_t bytes)
{
	uint8_t *frame;
	size_t frame_bytes;
	int err;

	if (wire->ended)
		return 0;
	err = lab_frame_encode(type, payload, bytes, &frame, &frame_bytes);
	if (err)
		return err;
	err = lab_shared_append(wire->shared, frame, frame_bytes);
	free(frame);
	if (!err)
		wire->ended = type == LAB_FRAME_END || type == LAB_FRAME_FAILURE;
	return err;
}

int lab_wire_text(struct lab_wire *wire, enum lab_frame_type type, const char *text)
{
	return lab_wire_send(wire, type, text, strlen(text));
}

int lab_wire_number(struct lab_wire *wire, enum lab_frame_type type, uint32_t number)
{
	uint8_t payload[LAB_NUMBER_BYTES];

	lab_put_le32(payload, number);
	return lab_wire_send(wire, type, payload, sizeof(payload));
}

/* The largest payload of each type of frame. */
static const uint32_t raw_max[LAB_FRAME_TYPES] = {
	[LAB_FRAME_HELLO] = LAB_NUMBER_BYTES,	 [LAB_FRAME_HEADER] = 4u << 20,
	[LAB_FRAME_REPORT] = LAB_FRAME_RAW_MAX,	 [LAB_FRAME_LINE] = 64u << 10,
	[LAB_FRAME_SYMBOLS] = LAB_FRAME_RAW_MAX, [LAB_FRAME_AGAIN] = 0,
	[LAB_FRAME_END] = LAB_NUMBER_BYTES,	 [LAB_FRAME_FAILURE] = 64u << 10,
};

enum found {
	FOUND_FRAME,
	FOUND_PART,   /* so far it is one */
	FOUND_DAMAGE, /* no frame begins here */
	FOUND_NO_MEMORY,
	FOUND_TOO_MUCH,
};

int lab_reader_push(struct lab_reader *r, const void *bytes, size_t n)
{
	size_t held = r->end - r->begin;

	if (!n)
		return 0;
	if (r->begin) {
		memmove(r->bytes, r->bytes + r->begin, held);
		r->begin = 0;
		r->end = held;
	}
	if (held + n > r->room) {
		size_t room = 2 * (held + n);
		uint8_t *grown = realloc(r->bytes, room);

		if (!grown)
			return -ENOMEM;
		r->bytes = grown;
		r->room = room;
	}
	memcpy(r->bytes + r->end, bytes, n);
	r->end += n;
	return 0;
}

/* Is this the beginning of a header, or all of one? `n` bytes are there. */
static enum found look_at_header(const uint8_t *p, size_t n)
{
	uint8_t magic[4];

	lab_put_le32(magic, LAB_FRAME_MAGIC);
	if (memcmp(p, magic, n < sizeof(magic) ? n : sizeof(magic)))
		return FOUND_DAMAGE;
	if (n < LAB_FRAME_HEADER_BYTES)
		return FOUND_PART;
	if (crc_of(p, 20) != lab_get_le32(p + 20) || !lab_get_le32(p + 4) ||
	    lab_get_le32(p + 4) >= LAB_FRAME_TYPES ||
	    lab_get_le32(p + 8) > LAB_FRAME_STORED_MAX ||
	    lab_get_le32(p + 12) > raw_max[lab_get_le32(p + 4)])
		return FOUND_DAMAGE;
	return FOUND_FRAME;
}

static enum found unpack(struct lab_reader *r, const uint8_t *header)
{
	uLongf raw = lab_get_le32(header + 12), inflated = raw;
	uint32_t stored = lab_get_le32(header + 8);
	const uint8_t *p = header + LAB_FRAME_HEADER_BYTES;

	if (crc_of(p, stored) != lab_get_le32(header + 16)) {
		r->checked += stored;
		return FOUND_DAMAGE;
	}
	/* Also of a payload that turns out to be no stream: the work was done. */
	r->raw += raw;
	if (r->raw > (r->raw_max ? r->raw_max : LAB_WIRE_RAW_MAX))
		return FOUND_TOO_MUCH;
	free(r->payload);
	r->payload = malloc(raw + 1);
	if (!r->payload)
		return FOUND_NO_MEMORY;
	if (uncompress(r->payload, &inflated, p, stored) != Z_OK || inflated != raw)
		return FOUND_DAMAGE;
	r->payload[raw] = '\0';
	return FOUND_FRAME;
}

static enum found look(struct lab_reader *r)
{
	const uint8_t *p = r->bytes + r->begin;
	size_t n = r->end - r->begin;
	enum found found = look_at_header(p, n);

	if (found != FOUND_FRAME)
		return found;
	if (n - LAB_FRAME_HEADER_BYTES < lab_get_le32(p + 8))
		return FOUND_PART;
	return unpack(r, p);
}

/* Skips to the next byte that can begin a frame. */
static void skip_damage(struct lab_reader *r)
{
	const uint8_t *p = r->bytes + r->begin, *next;
	size_t n = r->end - r->begin, bytes = 1;

	/* Of a good header: the frame is whole, and its payload is damaged. */
	if (r->checked > LAB_SHARED_BYTES && look_at_header(p, n) == FOUND_FRAME &&
	    n - LAB_FRAME_HEADER_BYTES >= lab_get_le32(p + 8))
		bytes = LAB_FRAME_HEADER_BYTES + lab_get_le32(p + 8);
	next = memchr(p + bytes, LAB_FRAME_MAGIC & 0xff, n - bytes);
	bytes = next ? (size_t)(next - p) : n;
	r->begin += bytes;
	/* Output of the firmware before the first frame is not damage. */
	if (r->frames)
		r->skipped += bytes;
}

int lab_reader_next(struct lab_reader *r, bool last, struct lab_frame *frame)
{
	while (r->begin < r->end) {
		const uint8_t *p = r->bytes + r->begin;
		enum found found = look(r);

		if (found == FOUND_NO_MEMORY || found == FOUND_TOO_MUCH)
			return found == FOUND_NO_MEMORY ? -ENOMEM : -EFBIG;
		if (found == FOUND_FRAME) {
			frame->type = (enum lab_frame_type)lab_get_le32(p + 4);
			frame->payload = r->payload;
			frame->size = lab_get_le32(p + 12);
			r->begin += LAB_FRAME_HEADER_BYTES + lab_get_le32(p + 8);
			r->frames++;
			return 1;
		}
		if (found == FOUND_PART && !last)
			return 0;
		skip_damage(r);
	}
	return 0;
}

void lab_reader_free(struct lab_reader *r)
{
	free(r->bytes);
	free(r->payload);
	memset(r, 0, sizeof(*r));
}

static bool ends(const char *text, size_t bytes)
{
	return memchr(text, '\0', bytes) != NULL;
}

/* struct boot_report without its pointers. The series follow, phase by phase. */
struct report_head {
	uint32_t outcome;
	uint32_t reserved;
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

int lab_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n)
{
	const struct result_host_counters *hc = &rep->host_counters;
	struct report_head *head;
	uint64_t values = 0;
	uint8_t *at;

	for (int phase = 0; phase < ABI_PHASES; phase++)
		values += series_values(rep, phase);
	*n = sizeof(*head) + (values + ABI_PHASES) * sizeof(uint64_t);
	*bytes = calloc(1, *n);
	if (!*bytes)
		return -ENOMEM;
	head = (struct report_head *)(void *)*bytes;
	head->outcome = rep->outcome;
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

static bool has_counts(const struct report_head *head)
{
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		const struct boot_counts *c = &head->counts[phase];
		const int64_t counts[] = { c->exits, c->user, c->interrupts,
					   c->involuntary_switches, c->migrations };

		if (!are_counts(counts, sizeof(counts)))
			return false;
	}
	return are_counts(&head->statistics, sizeof(head->statistics)) &&
	       are_counts(head->host_counters, sizeof(head->host_counters)) &&
	       are_counts(&head->waits, sizeof(head->waits));
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

int lab_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep)
{
	struct result_host_counters *hc = &rep->host_counters;
	struct report_head head;
	const char *source, *unit;
	int ret;

	memset(rep, 0, sizeof(*rep));
	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
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
	if (ret)
		boot_report_free(rep);
	return ret;
}
