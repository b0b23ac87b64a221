/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's migration stream: what a snapshot has of it is changed in two places. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "host/targets/lab/qemu.h"
#include "host/targets/lab/session.h"

/*
 * The list of memory blocks at the beginning of a stream has the address of each: QEMU
 * compares those of shared blocks with its own. The wire is one, in a PCI BAR, which has
 * no address yet when a clone reads the list. So the list of a snapshot has none for it.
 * A block: length of the name, name, size, address; numbers are big-endian
 * (ram_save_setup() in QEMU's migration/ram.c).
 */
static int hide_wire_address(uint8_t *stream, size_t bytes)
{
	static const char wire[] = "/wire";
	static const uint8_t size[] = { 0, 0, 0, 0, LAB_SHARED_BYTES >> 24, 0, 0, 0 };
	const size_t name = sizeof(wire) - 1;
	const size_t list = bytes < 4096 ? bytes : 4096;
	uint8_t *at = memmem(stream, list, wire, name), *end = stream + list;

	if (!at || (size_t)(end - at) < name + 2 * sizeof(size) ||
	    memcmp(at + name, size, sizeof(size)))
		return -EPROTO;
	memset(at + name + sizeof(size), 0, 8);
	return 0;
}

/*
 * The empty flash of the machine of arm64 is 32,768 pages of zeros in the stream: a clone
 * would make them 128 MB of its memory, to compare each with the zeros that it is. They
 * are left out: the machine has stopped, so no page is there twice. The first page of
 * each flash stays, as its entry names the block of those that follow. An entry: address
 * and flags, 8 bytes, without RAM_FLAG_CONTINUE the length and the name of the block,
 * then the page, or of a page of zeros the byte 0 (ram_load_precopy() in QEMU's
 * migration/ram.c). Memory is several sections, each of which ends with RAM_FLAG_EOS:
 * SECTION_FOOTER and the number of the section follow, and before the next entry
 * SECTION_PART or SECTION_END and the number again.
 */
enum {
	RAM_FLAG_ZERO = 0x02,
	RAM_FLAG_PAGE = 0x08,
	RAM_FLAG_EOS = 0x10,
	RAM_FLAG_CONTINUE = 0x20,
	RAM_FLAGS = 0xfff,
	RAM_PAGE_BYTES = 4096,
	SECTION_PART = 0x02,
	SECTION_END = 0x03,
	SECTION_FOOTER = 0x7e,
	SECTION_CHANGE_BYTES = 8 + 2 * 5,
};

/* Whether memory goes on in another section after the entry RAM_FLAG_EOS at `p`. */
static bool is_section_change(const uint8_t *p)
{
	return p[8] == SECTION_FOOTER &&
	       (p[13] == SECTION_PART || p[13] == SECTION_END) &&
	       !memcmp(p + 9, p + 14, 4);
}

/* The bytes of the entry at `p`, of which `left` are there; 0: none, or the last. */
static size_t ram_entry_bytes(const uint8_t *p, size_t left)
{
	unsigned int flags;
	size_t bytes = 8;

	if (left < SECTION_CHANGE_BYTES)
		return 0;
	flags = (p[6] << 8 | p[7]) & RAM_FLAGS;
	if (flags == RAM_FLAG_EOS)
		return is_section_change(p) ? SECTION_CHANGE_BYTES : 0;
	if (!(flags & RAM_FLAG_CONTINUE))
		bytes += 1 + p[8];
	flags &= ~RAM_FLAG_CONTINUE;
	bytes += flags == RAM_FLAG_ZERO ? 1 : RAM_PAGE_BYTES;
	return (flags == RAM_FLAG_ZERO || flags == RAM_FLAG_PAGE) && bytes <= left ? bytes
										   : 0;
}

/* Moves what stays of the `bytes` of the stream together; returns how many they are. */
static size_t leave_out_flash(uint8_t *stream, size_t bytes)
{
	/* The first page of the first flash, and the name of both. */
	static const uint8_t first[] = "\0\0\0\0\0\0\0\x02\x0bvirt.flash0";
	const size_t name = sizeof(first) - 1;
	const size_t begin = bytes < 4096 ? bytes : 4096;
	const uint8_t *end = stream + bytes;
	uint8_t *at = memmem(stream, begin, first, name), *to = at;
	bool in_flash = false;

	if (!at)
		return bytes;
	for (size_t n; (n = ram_entry_bytes(at, end - at)); at += n) {
		const unsigned int flags = (at[6] << 8 | at[7]) & RAM_FLAGS;

		if (!(flags & (RAM_FLAG_CONTINUE | RAM_FLAG_EOS)))
			in_flash = n > name && !memcmp(at + 8, first + 8, name - 9);
		if (in_flash && flags == (RAM_FLAG_ZERO | RAM_FLAG_CONTINUE) && !at[8])
			continue;
		memmove(to, at, n);
		to += n;
	}
	memmove(to, at, end - at);
	return bytes - (at - to);
}

int qemu_stream_trim(uint8_t *stream, size_t *bytes)
{
	int ret = hide_wire_address(stream, *bytes);

	if (!ret)
		*bytes = leave_out_flash(stream, *bytes);
	return ret;
}
