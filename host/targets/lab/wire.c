/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: encoding and sending, receiving and checking. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/lab/wire.h"

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
		     bool deflate, uint8_t **frame, size_t *frame_bytes)
{
	uLongf stored;
	uint8_t *f;

	if (bytes > LAB_FRAME_RAW_MAX)
		return -EMSGSIZE;
	stored = deflate ? compressBound(bytes) : bytes;
	f = malloc(LAB_FRAME_HEADER_BYTES + stored);
	if (!f)
		return -ENOMEM;
	/* Level 1: an emulated CPU compresses. */
	if (deflate &&
	    compress2(f + LAB_FRAME_HEADER_BYTES, &stored, payload, bytes, 1) != Z_OK) {
		free(f);
		return -ENOMEM;
	}
	/* Both have the same length only if the payload is not deflated. */
	if (!deflate || stored >= bytes) {
		if (bytes)
			memcpy(f + LAB_FRAME_HEADER_BYTES, payload, bytes);
		stored = bytes;
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
	const size_t plain_max = wire->shared->kind == LAB_SHARED_MEMORY
					 ? LAB_PLAIN_MAX_MEMORY
					 : LAB_PLAIN_MAX_PORT;
	uint8_t *frame;
	size_t frame_bytes;
	int err;

	if (wire->ended)
		return 0;
	err = lab_frame_encode(type, payload, bytes, bytes > plain_max, &frame,
			       &frame_bytes);
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
	[LAB_FRAME_HELLO] = LAB_NUMBER_BYTES,	    [LAB_FRAME_HEADER] = 4u << 20,
	[LAB_FRAME_REPORT] = LAB_FRAME_RAW_MAX,	    [LAB_FRAME_LINE] = 64u << 10,
	[LAB_FRAME_SYMBOLS] = LAB_FRAME_RAW_MAX,    [LAB_FRAME_AGAIN] = 0,
	[LAB_FRAME_END] = LAB_NUMBER_BYTES,	    [LAB_FRAME_FAILURE] = 64u << 10,
	[LAB_FRAME_SYMBOLS_L0] = LAB_FRAME_RAW_MAX,
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
	if (stored == raw)
		memcpy(r->payload, p, raw);
	else if (uncompress(r->payload, &inflated, p, stored) != Z_OK || inflated != raw)
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
