/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the lab's wire: frames, intact and damaged. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/lab/wire.h"
#include "host/targets/job.h"

/* A frame that claims `raw` bytes and contains `stored`, with valid checksums. */
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

	cr_assert_eq(lab_frame_encode(type, text, strlen(text), true, &frame, &bytes), 0);
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
	static const char line[] = "a line, a line, a line, a line, a line";
	uint8_t *f, text[64] = { 0 };
	uLongf text_bytes = sizeof(text);
	size_t bytes;

	cr_assert_eq(
		lab_frame_encode(LAB_FRAME_LINE, line, strlen(line), true, &f, &bytes),
		0);
	cr_expect_arr_eq(f, "WS1\xf7\x04\0\0\0", 8);
	cr_expect_eq(lab_get_le32(f + 8), bytes - 24);
	cr_expect_lt(bytes - 24, strlen(line));
	cr_expect_eq(lab_get_le32(f + 12), strlen(line));
	cr_expect_eq(lab_get_le32(f + 16), crc32(0, f + 24, bytes - 24));
	cr_expect_eq(lab_get_le32(f + 20), crc32(0, f, 20));
	cr_assert_eq(uncompress(text, &text_bytes, f + 24, bytes - 24), Z_OK);
	cr_expect_str_eq((char *)text, line);
	free(f);
}

static void expect_plain(const char *text, bool deflate)
{
	size_t n = strlen(text), bytes;
	uint8_t *f;

	cr_assert_eq(lab_frame_encode(LAB_FRAME_LINE, text, n, deflate, &f, &bytes), 0);
	cr_assert_eq(bytes, LAB_FRAME_HEADER_BYTES + n);
	cr_expect_eq(lab_get_le32(f + 8), n);
	cr_expect_eq(lab_get_le32(f + 12), n);
	cr_expect_arr_eq(f + LAB_FRAME_HEADER_BYTES, text, n);
	free(f);
}

Test(wire, a_payload_is_plain_where_that_is_wanted_or_shorter)
{
	expect_plain("a line, a line, a line, a line, a line", false);
	expect_plain("hello", true);
	expect_plain("", true);
}

/* What the sender puts on the wire for `bytes` zeros. */
static int64_t sent(size_t bytes)
{
	struct lab_shared s;
	struct lab_wire w = { .shared = &s };
	uint8_t *zeros = calloc(1, bytes);
	int64_t n;

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	cr_assert_eq(lab_wire_send(&w, LAB_FRAME_REPORT, zeros, bytes), 0);
	n = lab_shared_written(&s);
	lab_shared_free(&s);
	free(zeros);
	return n;
}

Test(wire, only_long_payloads_are_deflated)
{
	cr_expect_eq(sent(LAB_PLAIN_MAX_MEMORY),
		     LAB_FRAME_HEADER_BYTES + LAB_PLAIN_MAX_MEMORY);
	cr_expect_lt(sent(LAB_PLAIN_MAX_MEMORY + 1), 1024);
}

Test(wire, frames_arrive_in_order_for_any_split)
{
	struct lab_shared s;
	struct lab_wire w = { .shared = &s };
	struct lab_reader r = { .bytes = NULL };
	struct lab_frame f;
	unsigned int frames = 0;
	int64_t n;

	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	cr_assert_eq(lab_wire_number(&w, LAB_FRAME_HELLO, 2), 0);
	cr_assert_eq(lab_wire_send(&w, LAB_FRAME_HEADER, "{}ignored", 2), 0);
	cr_assert_eq(lab_wire_text(&w, LAB_FRAME_LINE, ""), 0);
	cr_assert_eq(lab_wire_send(&w, LAB_FRAME_REPORT, "[1]", 3), 0);
	cr_assert_eq(lab_wire_number(&w, LAB_FRAME_END, 3), 0);

	n = lab_shared_written(&s);
	cr_assert_gt(n, 5 * 24);
	for (int64_t i = 0; i < n; i++) {
		cr_assert_eq(lab_reader_push(&r, s.memory + LAB_SHARED_DATA + i, 1), 0);
		while (lab_reader_next(&r, false, &f) == 1) {
			static const enum lab_frame_type order[] = {
				LAB_FRAME_HELLO,  LAB_FRAME_HEADER, LAB_FRAME_LINE,
				LAB_FRAME_REPORT, LAB_FRAME_END,
			};

			cr_assert_lt(frames, 5);
			cr_expect_eq(f.type, order[frames]);
			if (frames == 1)
				cr_expect_str_eq((const char *)f.payload, "{}");
			if (frames == 3)
				cr_expect_str_eq((const char *)f.payload, "[1]");
			frames++;
		}
	}
	cr_expect_eq(frames, 5);
	cr_expect_eq(f.size, LAB_NUMBER_BYTES);
	cr_expect_eq(lab_get_le32(f.payload), 3, "END has the exit code");
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
	cr_assert_eq(lab_wire_text(&w, LAB_FRAME_FAILURE, "broken"), 0);
	n = lab_shared_written(&s);
	cr_expect_eq(lab_wire_number(&w, LAB_FRAME_END, 0), 0);
	cr_expect_eq(lab_wire_send(&w, LAB_FRAME_REPORT, "[]", 2), 0);
	cr_expect_eq(lab_shared_written(&s), n);
	lab_shared_free(&s);
}

Test(wire, a_full_wire_is_an_error)
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

Test(wire, garbage_before_the_first_frame_is_ignored_and_after_it_counted)
{
	uint8_t b[1024];
	struct lab_reader r = { .bytes = NULL };
	size_t n = 0;

	memcpy(b, "SeaBIOS WS1", 11);
	n = 11 + put(b + 11, LAB_FRAME_LINE, "one");
	memcpy(b + n, "noise", 5);
	n += 5;
	n += put(b + n, LAB_FRAME_LINE, "two");
	cr_assert_eq(lab_reader_push(&r, b, n), 0);
	expect(&r, false, LAB_FRAME_LINE, "one");
	cr_expect_eq(r.skipped, 0);
	expect(&r, false, LAB_FRAME_LINE, "two");
	cr_expect_eq(r.skipped, 5);
	expect_none(&r, true);
	lab_reader_free(&r);
}

Test(wire, any_flipped_bit_loses_that_frame_and_no_other)
{
	uint8_t b[1024];
	size_t first = put(b, LAB_FRAME_LINE, "before");
	size_t second = first + put(b + first, LAB_FRAME_LINE, "the victim");
	size_t n = second + put(b + second, LAB_FRAME_LINE, "after");

	for (size_t bit = first * 8; bit < second * 8; bit++) {
		struct lab_reader r = { .bytes = NULL };

		b[bit / 8] ^= 1 << bit % 8;
		cr_assert_eq(lab_reader_push(&r, b, n), 0);
		expect(&r, true, LAB_FRAME_LINE, "before");
		expect(&r, true, LAB_FRAME_LINE, "after");
		cr_expect_eq(r.skipped, second - first, "bit %zu", bit);
		expect_none(&r, true);
		lab_reader_free(&r);
		b[bit / 8] ^= 1 << bit % 8;
	}
}

Test(wire, a_truncated_frame_does_not_hide_a_later_failure)
{
	uint8_t b[1024];
	struct lab_reader r = { .bytes = NULL };
	size_t torn = put(b, LAB_FRAME_REPORT, "a benchmark that is cut off") - 7, n;

	n = torn + put(b + torn, LAB_FRAME_FAILURE, "killed");
	b[n++] = 'W'; /* only the first byte of a frame */
	cr_assert_eq(lab_reader_push(&r, b, n), 0);
	expect(&r, true, LAB_FRAME_FAILURE, "killed");
	expect_none(&r, true);
	cr_expect_eq(r.begin, r.end, "all was looked at");
	lab_reader_free(&r);
}

Test(wire, frames_with_a_wrong_size_are_skipped)
{
	uint8_t b[4096], stored[256];
	uLongf stored_bytes = sizeof(stored);
	struct lab_reader r = { .bytes = NULL };
	size_t n = 0, good;

	cr_assert_eq(compress(stored, &stored_bytes, (const uint8_t *)"12345", 5), Z_OK);
	n += forge(b + n, LAB_FRAME_LINE, stored, stored_bytes, 4); /* too small */
	n += forge(b + n, LAB_FRAME_LINE, stored, stored_bytes, 6); /* too large */
	n += forge(b + n, LAB_FRAME_LINE, "no zlib", 7, 5);
	n += forge(b + n, LAB_FRAME_LINE, stored, stored_bytes, LAB_FRAME_RAW_MAX + 1);
	n += forge(b + n, 0, stored, stored_bytes, 5);
	n += forge(b + n, LAB_FRAME_TYPES, stored, stored_bytes, 5);
	/* The reader must not wait for the bytes of a forged length. */
	forge(b + n, LAB_FRAME_LINE, "", 0, 5);
	lab_put_le32(b + n + 8, LAB_FRAME_STORED_MAX + 1);
	lab_put_le32(b + n + 20, crc32(0, b + n, 20));
	n += LAB_FRAME_HEADER_BYTES;
	good = n;
	n += forge(b + n, LAB_FRAME_LINE, stored, stored_bytes, 5);
	cr_assert_eq(lab_reader_push(&r, b, n), 0);
	expect(&r, false, LAB_FRAME_LINE, "12345");
	cr_expect_eq(r.frames, 1);
	cr_expect_eq(r.end, n);
	cr_expect_eq(r.begin, r.end);
	cr_expect_gt(good, 100);
	lab_reader_free(&r);
}

/* 64 MiB of zeros are 64 KiB on the wire. */
Test(wire, payloads_are_not_inflated_without_a_limit)
{
	const uLong raw = LAB_FRAME_RAW_MAX;
	uLongf stored = compressBound(raw);
	uint8_t *zeros = calloc(1, raw), *bomb = malloc(stored);
	uint8_t *f = malloc(LAB_FRAME_HEADER_BYTES + stored);
	struct lab_reader r = { .raw_max = 0 };
	struct lab_frame got;
	unsigned int frames = 0;
	size_t n;
	int ret;

	cr_assert_eq(compress2(bomb, &stored, zeros, raw, 9), Z_OK);
	/* Of a type that is never so long: not even once. */
	n = forge(f, LAB_FRAME_HEADER, bomb, stored, raw);
	cr_assert_eq(lab_reader_push(&r, f, n), 0);
	expect_none(&r, false);
	cr_expect_eq(r.raw, 0);
	/* Of one that can be: as often as the conversation allows. */
	n = forge(f, LAB_FRAME_REPORT, bomb, stored, raw);
	do {
		cr_assert_eq(lab_reader_push(&r, f, n), 0);
		ret = lab_reader_next(&r, false, &got);
		frames += ret == 1;
	} while (ret == 1 && frames < 100);
	cr_expect_eq(ret, -EFBIG);
	cr_expect_eq(frames, LAB_WIRE_RAW_MAX / LAB_FRAME_RAW_MAX);
	lab_reader_free(&r);
	free(zeros);
	free(bomb);
	free(f);
}

/* Good headers without good payloads, each inside the payload of the one before. */
Test(wire, a_damaged_payload_costs_one_checksum, .timeout = 60)
{
	const size_t bytes = 24u << 20, headers = 100000;
	uint8_t *b = calloc(1, bytes), good[64];
	struct lab_reader r = { .bytes = NULL };
	size_t n;

	for (size_t i = 0; i < headers; i++) {
		uint8_t *f = b + i * LAB_FRAME_HEADER_BYTES;

		lab_put_le32(f, LAB_FRAME_MAGIC);
		lab_put_le32(f + 4, LAB_FRAME_REPORT);
		lab_put_le32(f + 8, LAB_FRAME_STORED_MAX);
		lab_put_le32(f + 12, 1);
		lab_put_le32(f + 16, 1);
		lab_put_le32(f + 20, crc32(0, f, 20));
	}
	cr_assert_eq(lab_reader_push(&r, b, bytes), 0);
	n = put(good, LAB_FRAME_LINE, "behind");
	cr_assert_eq(lab_reader_push(&r, good, n), 0);
	expect(&r, false, LAB_FRAME_LINE, "behind");
	cr_expect_leq(r.checked, 3 * (uint64_t)LAB_SHARED_BYTES, "%llu",
		      (unsigned long long)r.checked);
	lab_reader_free(&r);
	free(b);
}

Test(wire, the_sender_refuses_payloads_over_the_limit)
{
	uint8_t *frame = NULL;
	size_t bytes;

	cr_expect_eq(lab_frame_encode(LAB_FRAME_REPORT, "", LAB_FRAME_RAW_MAX + 1, true,
				      &frame, &bytes),
		     -EMSGSIZE);
	cr_expect_null(frame);
}

Test(shared, behind_a_port_the_wire_is_a_growing_file)
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

/* A machine that waits for a job starts with an empty wire. */
Test(wire, sending_a_job_empties_the_wire)
{
	uint8_t job[JOB_BYTES];
	struct lab_shared s;

	memset(job, 0x5a, sizeof(job));
	cr_assert_eq(lab_shared_create(&s, LAB_SHARED_MEMORY), 0);
	cr_assert_eq(lab_shared_append(&s, (const uint8_t *)"old", 3), 0);
	lab_shared_give(&s, job);
	cr_expect_eq(lab_shared_written(&s), 0);
	cr_expect_arr_eq(s.memory + LAB_SHARED_JOB, job, sizeof(job));
	lab_shared_free(&s);
}
