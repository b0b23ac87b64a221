/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lab's wire: what is sent arrives, and what was not sent does not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/lab/shared.h"
#include "host/lab/wire.h"
#include "host/lab/wire_reader.h"

/* A frame that claims `raw` bytes and holds `stored`, with checksums that fit. */
static size_t forge(uint8_t *f, uint32_t type, const void *stored, uint32_t bytes,
		    uint32_t raw)
{
	lab_put_le32(f, LAB_FRAME_MAGIC);
	lab_put_le32(f + 4, type);
	lab_put_le32(f + 8, bytes);
	lab_put_le32(f + 12, raw);
	lab_put_le32(f + 16, crc32(0, stored, bytes));
	lab_put_le32(f + 20, crc32(0, f, 20));
	memcpy(f + LAB_FRAME_HEADER_BYTES, stored, bytes);
	return LAB_FRAME_HEADER_BYTES + bytes;
}

static size_t put(uint8_t *to, enum lab_frame_type type, const char *text)
{
	uint8_t *frame;
	size_t bytes;

	cr_assert_eq(lab_frame_encode(type, text, strlen(text), &frame, &bytes), 0);
	memcpy(to, frame, bytes);
	free(frame);
	return bytes;
}

static void expect(struct lab_reader *r, bool last, enum lab_frame_type type,
		   const char *text)
{
	struct lab_frame f;

	cr_assert_eq(lab_reader_next(r, last, &f), 1);
	cr_expect_eq(f.type, type);
	cr_expect_str_eq((const char *)f.payload, text);
	cr_expect_eq(f.size, strlen(text));
}

static void expect_none(struct lab_reader *r, bool last)
{
	struct lab_frame f;

	cr_expect_eq(lab_reader_next(r, last, &f), 0);
}

Test(wire, a_frame_has_the_layout_that_the_header_file_describes)
{
	uint8_t *f, text[16] = { 0 };
	uLongf text_bytes = sizeof(text);
	size_t bytes;

	cr_assert_eq(lab_frame_encode(LAB_FRAME_PROGRESS, "hello", 5, &f, &bytes), 0);
	cr_expect_arr_eq(f, "WS1\xf7\x04\0\0\0", 8);
	cr_expect_eq(lab_get_le32(f + 8), bytes - 24);
	cr_expect_eq(lab_get_le32(f + 12), 5);
	cr_expect_eq(lab_get_le32(f + 16), crc32(0, f + 24, bytes - 24));
	cr_expect_eq(lab_get_le32(f + 20), crc32(0, f, 20));
	cr_assert_eq(uncompress(text, &text_bytes, f + 24, bytes - 24), Z_OK);
	cr_expect_str_eq((char *)text, "hello");
	free(f);
}

Test(wire, all_that_is_sent_arrives_in_order_however_it_is_cut)
{
	struct lab_shared s;
	struct lab_wire w = { .shared = &s };
	struct lab_reader r = { .bytes = NULL };
	struct lab_frame f;
	unsigned int frames = 0;
	int64_t n;

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	cr_assert_eq(lab_wire_hello(&w), 0);
	cr_assert_eq(lab_wire_header(&w, "{}ignored", 2), 0);
	cr_assert_eq(lab_wire_progress(&w, "") || lab_wire_benchmark(&w, "[1]", 3), 0);
	cr_assert_eq(lab_wire_benchmark(&w, "[2]", 3) || lab_wire_end(&w, 3), 0);

	n = lab_shared_written(&s);
	cr_assert_gt(n, 6 * 24);
	for (int64_t i = 0; i < n; i++) {
		cr_assert_eq(lab_reader_push(&r, s.memory + LAB_SHARED_DATA + i, 1), 0);
		while (lab_reader_next(&r, false, &f) == 1) {
			static const enum lab_frame_type order[] = {
				LAB_FRAME_HELLO,     LAB_FRAME_HEADER,
				LAB_FRAME_PROGRESS,  LAB_FRAME_BENCHMARK,
				LAB_FRAME_BENCHMARK, LAB_FRAME_END,
			};

			cr_assert_lt(frames, 6);
			cr_expect_eq(f.type, order[frames]);
			if (frames == 1)
				cr_expect_str_eq((const char *)f.payload, "{}");
			if (frames == 4)
				cr_expect_str_eq((const char *)f.payload, "[2]");
			frames++;
		}
	}
	cr_expect_eq(frames, 6);
	cr_expect_eq(f.size, LAB_END_BYTES);
	cr_expect_eq(lab_get_le32(f.payload), 2, "END counts the benchmarks");
	cr_expect_eq(lab_get_le32(f.payload + 4), 3, "END has the exit code");
	cr_expect_eq(r.skipped, 0);
	lab_reader_free(&r);
	lab_shared_free(&s);
}

Test(wire, nothing_follows_the_end)
{
	struct lab_shared s;
	struct lab_wire w = { .shared = &s };
	int64_t n;

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	cr_assert_eq(lab_wire_failure(&w, "broken"), 0);
	n = lab_shared_written(&s);
	cr_expect_eq(lab_wire_end(&w, 0), 0);
	cr_expect_eq(lab_wire_benchmark(&w, "[]", 2), 0);
	cr_expect_eq(lab_shared_written(&s), n);
	lab_shared_free(&s);
}

Test(wire, a_full_wire_takes_nothing_and_says_so)
{
	struct lab_shared s;
	size_t room = LAB_SHARED_BYTES - LAB_SHARED_DATA;
	uint8_t *block = calloc(1, room);

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	cr_assert_eq(lab_shared_append(&s, block, room - 1), 0);
	cr_expect_eq(lab_shared_append(&s, block, 2), -ENOSPC);
	cr_expect_eq(lab_shared_written(&s), (int64_t)room - 1);
	cr_expect_eq(lab_shared_append(&s, block, 1), 0);
	free(block);
	lab_shared_free(&s);
}

Test(wire, a_machine_that_claims_more_bytes_than_fit_is_refused)
{
	struct lab_shared s;
	uint64_t claim = LAB_SHARED_BYTES - LAB_SHARED_DATA + 1;

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	memcpy(s.memory, &claim, sizeof(claim));
	cr_expect_eq(lab_shared_written(&s), -EBADMSG);
	claim = UINT64_MAX;
	memcpy(s.memory, &claim, sizeof(claim));
	cr_expect_eq(lab_shared_written(&s), -EBADMSG);
	lab_shared_free(&s);
}

Test(wire, what_precedes_the_first_frame_is_no_damage_and_what_follows_it_is)
{
	uint8_t b[1024];
	struct lab_reader r = { .bytes = NULL };
	size_t n = 0;

	memcpy(b, "SeaBIOS WS1", 11);
	n = 11 + put(b + 11, LAB_FRAME_PROGRESS, "one");
	memcpy(b + n, "noise", 5);
	n += 5;
	n += put(b + n, LAB_FRAME_PROGRESS, "two");
	cr_assert_eq(lab_reader_push(&r, b, n), 0);
	expect(&r, false, LAB_FRAME_PROGRESS, "one");
	cr_expect_eq(r.skipped, 0);
	expect(&r, false, LAB_FRAME_PROGRESS, "two");
	cr_expect_eq(r.skipped, 5);
	expect_none(&r, true);
	lab_reader_free(&r);
}

Test(wire, any_flipped_bit_loses_that_frame_and_no_other)
{
	uint8_t b[1024];
	size_t first = put(b, LAB_FRAME_PROGRESS, "before");
	size_t second = first + put(b + first, LAB_FRAME_PROGRESS, "the victim");
	size_t n = second + put(b + second, LAB_FRAME_PROGRESS, "after");

	for (size_t bit = first * 8; bit < second * 8; bit++) {
		struct lab_reader r = { .bytes = NULL };

		b[bit / 8] ^= 1 << bit % 8;
		cr_assert_eq(lab_reader_push(&r, b, n), 0);
		expect(&r, true, LAB_FRAME_PROGRESS, "before");
		expect(&r, true, LAB_FRAME_PROGRESS, "after");
		cr_expect_eq(r.skipped, second - first, "bit %zu", bit);
		expect_none(&r, true);
		lab_reader_free(&r);
		b[bit / 8] ^= 1 << bit % 8;
	}
}

Test(wire, a_torn_frame_does_not_swallow_the_failure_after_it)
{
	uint8_t b[1024];
	struct lab_reader r = { .bytes = NULL };
	size_t torn = put(b, LAB_FRAME_BENCHMARK, "a benchmark that is cut off") - 7, n;

	n = torn + put(b + torn, LAB_FRAME_FAILURE, "killed");
	b[n++] = 'W'; /* a frame's first byte, and no more */
	cr_assert_eq(lab_reader_push(&r, b, n), 0);
	expect(&r, true, LAB_FRAME_FAILURE, "killed");
	expect_none(&r, true);
	cr_expect_eq(r.begin, r.end, "all was looked at");
	lab_reader_free(&r);
}

Test(wire, frames_that_lie_about_their_size_are_skipped)
{
	uint8_t b[4096], stored[256];
	uLongf stored_bytes = sizeof(stored);
	struct lab_reader r = { .bytes = NULL };
	size_t n = 0, good;

	cr_assert_eq(compress(stored, &stored_bytes, (const uint8_t *)"12345", 5), Z_OK);
	n += forge(b + n, LAB_FRAME_PROGRESS, stored, stored_bytes, 4); /* too small */
	n += forge(b + n, LAB_FRAME_PROGRESS, stored, stored_bytes, 6); /* too large */
	n += forge(b + n, LAB_FRAME_PROGRESS, "no zlib", 7, 5);
	n += forge(b + n, LAB_FRAME_PROGRESS, stored, stored_bytes,
		   LAB_FRAME_RAW_MAX + 1);
	n += forge(b + n, 0, stored, stored_bytes, 5);
	n += forge(b + n, LAB_FRAME_TYPES, stored, stored_bytes, 5);
	/* A length that will never come must not make the reader wait for it. */
	forge(b + n, LAB_FRAME_PROGRESS, "", 0, 5);
	lab_put_le32(b + n + 8, LAB_FRAME_STORED_MAX + 1);
	lab_put_le32(b + n + 20, crc32(0, b + n, 20));
	n += LAB_FRAME_HEADER_BYTES;
	good = n;
	n += forge(b + n, LAB_FRAME_PROGRESS, stored, stored_bytes, 5);
	cr_assert_eq(lab_reader_push(&r, b, n), 0);
	expect(&r, false, LAB_FRAME_PROGRESS, "12345");
	cr_expect_eq(r.frames, 1);
	cr_expect_eq(r.end, n);
	cr_expect_eq(r.begin, r.end);
	cr_expect_gt(good, 100);
	lab_reader_free(&r);
}

Test(wire, payloads_over_the_limit_are_refused_where_they_are_made)
{
	uint8_t *frame = NULL;
	size_t bytes;

	cr_expect_eq(lab_frame_encode(LAB_FRAME_BENCHMARK, "", LAB_FRAME_RAW_MAX + 1,
				      &frame, &bytes),
		     -EMSGSIZE);
	cr_expect_null(frame);
}

Test(shared, behind_a_port_it_is_a_file_that_grows)
{
	struct lab_shared s;

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_PORT), 0);
	cr_expect_eq(lab_shared_written(&s), 0);
	cr_assert_eq(pwrite(s.fd, "abc", 3, 0), 3);
	cr_assert_eq(lab_shared_written(&s), 3);
	cr_expect_arr_eq(lab_shared_data(&s), "abc", 3);
	cr_assert_eq(ftruncate(s.fd, (off_t)LAB_SHARED_BYTES + 1), 0);
	cr_expect_eq(lab_shared_written(&s), -EBADMSG);
	lab_shared_free(&s);
}
