/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: how they are built and sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/lab/shared.h"
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
	/* Level 1: the deflating is done by an emulated CPU. */
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
