/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel inside a bzImage, as its decompressor would leave it in memory: decompressed
 * (gzip, or LZ4 as the kernel's build makes it) and loaded by its ELF program headers.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"

/* A byte of 255 is followed by another one (LZ4 Block Format). */
static bool add_length(const uint8_t **in, const uint8_t *end, size_t *length)
{
	uint8_t byte;

	do {
		if (*in == end)
			return false;
		byte = *(*in)++;
		*length += byte;
	} while (byte == 255);
	return true;
}

/* A copy that repeats what it has just written, if `distance` is below `length`. */
static void copy_match(uint8_t *to, size_t distance, size_t length)
{
	while (length) {
		const size_t n = length < distance ? length : distance;

		memcpy(to, to - distance, n);
		to += n;
		length -= n;
		distance += n;
	}
}

/* One block; its bytes in `out`, or 0: damaged. Matches may begin before `out`. */
static size_t lz4_block(const uint8_t *in, size_t bytes, const uint8_t *begin,
			uint8_t *out, size_t room)
{
	const uint8_t *end = in + bytes;
	uint8_t *to = out, *out_end = out + room;

	while (in < end) {
		const uint8_t token = *in++;
		size_t literals = token >> 4, length = token & 15, distance;

		if (literals == 15 && !add_length(&in, end, &literals))
			return 0;
		if (literals > (size_t)(end - in) || literals > (size_t)(out_end - to))
			return 0;
		memcpy(to, in, literals);
		to += literals;
		in += literals;
		if (in == end)
			return (size_t)(to - out);
		if (end - in < 2)
			return 0;
		distance = in[0] | (size_t)in[1] << 8;
		in += 2;
		if (length == 15 && !add_length(&in, end, &length))
			return 0;
		length += 4;
		if (!distance || distance > (size_t)(to - begin) ||
		    length > (size_t)(out_end - to))
			return 0;
		copy_match(to, distance, length);
		to += length;
	}
	return 0;
}

#define LZ4_MAGIC 0x184c2102 /* the legacy format: blocks after their sizes */

static bool lz4(const uint8_t *in, size_t bytes, uint8_t *out, size_t room)
{
	size_t at = 4, done = 0;

	while (done < room && bytes - at > 4) {
		const size_t size = lab_get_le32(in + at);
		size_t n;

		at += 4;
		if (size > bytes - at)
			return false;
		n = lz4_block(in + at, size, out, out + done, room - done);
		if (!n)
			return false;
		at += size;
		done += n;
	}
	return done == room;
}

static bool gunzip(const uint8_t *in, size_t bytes, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in,
		       .avail_in = (uInt)bytes,
		       .next_out = out,
		       .avail_out = (uInt)room };
	bool ok;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return false;
	ok = inflate(&z, Z_FINISH) == Z_STREAM_END && !z.avail_out;
	inflateEnd(&z);
	return ok;
}

uint8_t *lab_vmlinux_unpack(const uint8_t *payload, size_t bytes, size_t max,
			    size_t *out_bytes)
{
	const size_t size = bytes < 8 ? 0 : lab_get_le32(payload + bytes - 4);
	const bool is_gzip = size && payload[0] == 0x1f && payload[1] == 0x8b;
	uint8_t *out;

	if (!size || size > max || (!is_gzip && lab_get_le32(payload) != LZ4_MAGIC))
		return NULL;
	out = malloc(size);
	/* gzip ends in that size itself. */
	if (out && !(is_gzip ? gunzip(payload, bytes, out, size)
			     : lz4(payload, bytes - 4, out, size))) {
		free(out);
		out = NULL;
	}
	*out_bytes = size;
	return out;
}

uint32_t lab_vmlinux_load(const uint8_t *image, size_t bytes, uint32_t begin,
			  uint32_t end, uint8_t *memory)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (bytes < sizeof(header))
		return 0;
	memcpy(&header, image, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_machine != EM_X86_64 ||
	    header.e_phentsize != sizeof(segment) || header.e_phoff > bytes ||
	    header.e_phnum > (bytes - header.e_phoff) / sizeof(segment) ||
	    header.e_entry < begin || header.e_entry >= end)
		return 0;
	for (size_t i = 0; i < header.e_phnum; i++) {
		memcpy(&segment, image + header.e_phoff + i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type != PT_LOAD)
			continue;
		if (segment.p_offset > bytes ||
		    segment.p_filesz > bytes - segment.p_offset ||
		    segment.p_paddr < begin || segment.p_paddr > end ||
		    segment.p_filesz > end - segment.p_paddr)
			return 0;
		if (memory)
			memcpy(memory + (segment.p_paddr - begin),
			       image + segment.p_offset, segment.p_filesz);
	}
	return (uint32_t)header.e_entry;
}
