/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the lab's wire: frames, jobs and reports, intact and damaged. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/lab/wire.h"
#include "host/targets/target.h"
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

/*
 * Every member has a distinct value, different from that of a zeroed job. The machine of
 * a lab, which is not encoded, has none.
 */
static struct job full_job(void)
{
	static const char *const benches[] = { "hypercall", "cpuid" };
	static const char *const configs[] = { "default", "pmu-off", "" };
	static const char *const tests[] = { "regs-lazy" };
	struct job job = {
		.kind = JOB_MATRIX,
		.benches = benches,
		.configs = configs,
		.tests = tests,
		.n_benches = 2,
		.n_configs = 3,
		.n_tests = 1,
		.boots = 1000001,
		.events = 1000002,
		.pairs = true,
		.seed_given = true,
		.seed = 0xfedcba9876543210,
		.placement = 1000004,
		.cpu = -7,
		.timeout_ns = 0x123456789abcdef0,
		.host_counters = true,
		.trace_states = true,
		.symbols = true,
		.takes_turns = true,
		.payload = "/payload.elf",
		.scales = { { .vms = 7 } },
		.n_scales = 1,
	};

	for (size_t i = 0; i < sizeof(job.params); i++)
		((uint8_t *)&job.params)[i] = (uint8_t)(i + 1);
	return job;
}

/* A new member must be added to full_job(), to the codec and to expect_equal(). */
_Static_assert(sizeof(struct job) == 496, "struct job has another member");

static void expect_text(const char *a, const char *b)
{
	cr_expect_eq(!a, !b);
	if (a && b)
		cr_expect_str_eq(a, b);
}

static void expect_names(const char *const *a, size_t n_a, const char *const *b,
			 size_t n_b)
{
	cr_assert_eq(n_a, n_b);
	for (size_t i = 0; i < n_a; i++)
		expect_text(a[i], b[i]);
}

static void expect_equal(const struct job *a, const struct job *b)
{
	cr_expect_eq(a->kind, b->kind);
	expect_names(a->benches, a->n_benches, b->benches, b->n_benches);
	expect_names(a->configs, a->n_configs, b->configs, b->n_configs);
	expect_names(a->tests, a->n_tests, b->tests, b->n_tests);
	cr_expect_eq(a->boots, b->boots);
	cr_expect_eq(a->events, b->events);
	cr_expect_eq(a->pairs, b->pairs);
	cr_expect_eq(a->seed_given, b->seed_given);
	cr_expect_eq(a->seed, b->seed);
	cr_expect_eq(a->placement, b->placement);
	cr_expect_arr_eq(&a->params, &b->params, sizeof(a->params));
	cr_expect_eq(a->cpu, b->cpu);
	cr_expect_eq(a->timeout_ns, b->timeout_ns);
	cr_expect_eq(a->host_counters, b->host_counters);
	cr_expect_eq(a->trace_states, b->trace_states);
	cr_expect_eq(a->symbols, b->symbols);
	cr_expect_eq(a->takes_turns, b->takes_turns);
	expect_text(a->payload, b->payload);
	expect_text(a->kernel, b->kernel);
	expect_text(a->modules, b->modules);
	expect_text(a->append, b->append);
	cr_assert_eq(a->n_scales, b->n_scales);
	cr_expect_arr_eq(a->scales, b->scales, sizeof(a->scales));
}

Test(job, every_member_survives_the_wire)
{
	const struct job full = full_job();
	const struct job empty = { .kind = JOB_DESCRIBE };
	static struct job_decoded out;
	static uint8_t block[JOB_BYTES];

	cr_assert_eq(job_encode(&full, block), 0);
	cr_assert_eq(job_decode(block, &out), 0);
	expect_equal(&full, &out.job);
	cr_assert_eq(job_encode(&empty, block), 0);
	cr_assert_eq(job_decode(block, &out), 0);
	expect_equal(&empty, &out.job);
}

/* A kernel of any path length does not make a job too long, nor move its bytes. */
Test(job, the_machine_is_not_encoded)
{
	static char path[JOB_BYTES];
	static uint8_t without[JOB_BYTES], with[JOB_BYTES];
	struct job job = full_job();

	memset(path, 'x', sizeof(path) - 1);
	cr_assert_eq(job_encode(&job, without), 0);
	job.kernel = job.modules = job.append = path;
	job.one_config = true;
	cr_assert_eq(job_encode(&job, with), 0);
	cr_expect_arr_eq(without, with, sizeof(with));
}

/* One flag at a time: a codec that swaps two flags fails. */
Test(job, flags_are_not_confused)
{
	static struct job_decoded out;
	static uint8_t block[JOB_BYTES];

	for (int i = 0; i < 5; i++) {
		struct job job = { .kind = JOB_BOOTS };
		bool *const flags[] = { &job.pairs, &job.seed_given, &job.host_counters,
					&job.trace_states, &job.symbols };

		*flags[i] = true;
		cr_assert_eq(job_encode(&job, block), 0);
		cr_assert_eq(job_decode(block, &out), 0);
		expect_equal(&job, &out.job);
	}
}

Test(job, a_job_that_does_not_fit_is_refused)
{
	static const char *names[JOB_NAMES_MAX + 1];
	static char longest[JOB_BYTES];
	static uint8_t block[JOB_BYTES];
	struct job job = { .kind = JOB_BOOTS, .benches = names };

	for (size_t i = 0; i <= JOB_NAMES_MAX; i++)
		names[i] = "a";
	job.n_benches = JOB_NAMES_MAX;
	cr_expect_eq(job_encode(&job, block), 0);
	job.n_benches++;
	cr_expect_eq(job_encode(&job, block), -E2BIG);
	memset(longest, 'x', sizeof(longest) - 1);
	job = (struct job){ .kind = JOB_BOOTS, .payload = longest };
	cr_expect_eq(job_encode(&job, block), -E2BIG);
}

Test(job, damaged_jobs_are_refused)
{
	const struct job full = full_job();
	static struct job_decoded out;
	static uint8_t good[JOB_BYTES], block[JOB_BYTES];
	uint8_t *text;

	cr_assert_eq(job_encode(&full, good), 0);
	memset(block, 0, sizeof(block));
	cr_expect_eq(job_decode(block, &out), -EBADMSG, "zeros");
	/* A changed byte gives an error, or a job whose texts end in the block. */
	for (size_t i = 0; i < 512; i++) {
		memcpy(block, good, sizeof(block));
		block[i] ^= 0xff;
		if (job_decode(block, &out))
			continue;
		for (size_t k = 0; k < out.job.n_benches; k++)
			cr_expect_leq(strlen(out.job.benches[k]), sizeof(block));
	}
	/* The texts follow the numbers: from the first one on there is no NUL. */
	memcpy(block, good, sizeof(block));
	text = memmem(block, sizeof(block), full.payload, strlen(full.payload));
	cr_assert_not_null(text);
	memset(text, 'x', (size_t)(block + sizeof(block) - text));
	cr_expect_eq(job_decode(block, &out), -EBADMSG, "a text without an end");
}

/* Static: host_counters.reason points into the report. */
static struct boot_report *sample_report(void)
{
	static struct boot_report rep;

	boot_report_init(&rep);
	rep.outcome = BOOT_DONE;
	strcpy(rep.reason, "because");
	rep.unit = "cycles";
	rep.guest.magic = ABI_MAGIC;
	rep.counts[ABI_PHASE_EVENT] = (struct boot_counts){ 1, 2, 3, true, 4, 5, 6 };
	rep.statistics.vm_exits = 77;
	strcpy(rep.counters_why, "no PMU");
	rep.waits = (struct boot_waits){ .switches = 7, .events = 2 };
	rep.host_counters = (struct result_host_counters){
		"software", rep.counters_why, 1, 2, 3, 4, 5, 6,
	};
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		rep.guest.samples[phase] = (uint64_t)phase;
		rep.series[phase] = calloc(ABI_PHASES, sizeof(uint64_t));
		for (int i = 0; i < phase; i++)
			rep.series[phase][i] = 100 * (uint64_t)phase + (uint64_t)i;
	}
	return &rep;
}

Test(report, arrives_as_it_was_sent)
{
	struct boot_report *in = sample_report(), out;
	const struct boot_counts *c = &out.counts[ABI_PHASE_EVENT];
	uint8_t *block;
	size_t n;

	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_expect_eq(out.outcome, BOOT_DONE);
	cr_expect_str_eq(out.reason, "because");
	cr_expect_str_eq(out.unit, "cycles");
	cr_expect_arr_eq(&out.guest, &in->guest, sizeof(in->guest));
	cr_expect(c->exits == 1 && c->user == 2 && c->interrupts == 3 &&
		  c->interrupts_exact && c->involuntary_switches == 4 &&
		  c->migrations == 5 && c->l0_exits == 6);
	cr_expect_eq(out.statistics.vm_exits, 77);
	cr_expect_str_eq(out.host_counters.source, "software");
	cr_expect_str_eq(out.host_counters.reason, "no PMU");
	cr_expect_eq(out.host_counters.context_switches, 6);
	cr_expect_eq(out.waits.switches, 7);
	cr_expect_eq(out.waits.events, 2);
	for (int phase = 0; phase < ABI_PHASES; phase++)
		cr_expect_arr_eq(out.series[phase], in->series[phase],
				 phase * sizeof(uint64_t));
	boot_report_free(&out);

	/* A report that is truncated or has trailing bytes is refused. */
	for (size_t cut = 0; cut < n; cut += 7)
		cr_expect_eq(boot_report_decode(block, cut, &out), -EBADMSG, "%zu", cut);
	block = realloc(block, n + 1);
	cr_expect_eq(boot_report_decode(block, n + 1, &out), -EBADMSG);
	boot_report_free(in);
	free(block);
}

/* The report of a boot with a scale: three lanes with 1, 0 and 1 events of two. */
static struct boot_report *scaled_report(void)
{
	struct boot_report *rep = sample_report();

	_Static_assert(ABI_PHASE_EVENT == 2, "as many events are counted");
	rep->lanes = calloc(1, sizeof(*rep->lanes));
	rep->lanes->n = 3;
	rep->lanes->share = BOOT_SHARE_CORES;
	rep->lanes->span_ns = 1234;
	for (uint32_t i = 0; i < 3; i++)
		rep->lanes->lane[i] = (struct boot_lane){
			.events = 2,
			.counted = i != 1,
			.faults = i + 6,
			.l1_exits = i + 9,
			.counts = { i, i + 1, i + 2, true, 4, 5, -1 },
		};
	return rep;
}

Test(report, of_a_scale_arrives_as_it_was_sent)
{
	struct boot_report *in = scaled_report(), out;
	uint8_t *block;
	size_t n;

	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_assert_not_null(out.lanes);
	cr_expect_arr_eq(out.lanes, in->lanes, sizeof(*in->lanes));
	boot_report_free(&out);
	for (size_t cut = 0; cut < n; cut += 7)
		cr_expect_eq(boot_report_decode(block, cut, &out), -EBADMSG, "%zu", cut);
	boot_report_free(in);
	free(block);
}

/* The row fails, not the report. */
Test(report, of_a_scale_holds_any_count_of_a_guest)
{
	struct boot_report *in = scaled_report(), out;
	uint8_t *block;
	size_t n;

	in->lanes->lane[1].l1_exits = ABI_L1_EXITS_DIFFER;
	in->lanes->lane[2].faults = UINT64_MAX;
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_expect_eq(out.lanes->lane[1].l1_exits, ABI_L1_EXITS_DIFFER);
	cr_expect_eq(out.lanes->lane[2].faults, UINT64_MAX);
	boot_report_free(&out);
	boot_report_free(in);
	free(block);
}

/* What a lane claims fits the events of the report. */
Test(report, of_a_scale_with_wrong_lanes_is_refused)
{
	for (int lie = 0; lie < 6; lie++) {
		struct boot_report *in = scaled_report(), out;
		uint8_t *block;
		size_t n;

		if (lie == 0)
			in->lanes->n = 0;
		else if (lie == 1)
			in->lanes->n = BOOT_SCALE_MAX + 1;
		else if (lie == 2)
			in->lanes->lane[0].counted = 2;
		else if (lie == 3)
			in->lanes->lane[2].events = 0;
		else if (lie == 4)
			in->lanes->lane[1].counts.exits = -2;
		else
			in->lanes->share = BOOT_SHARES;
		cr_assert_eq(boot_report_encode(in, &block, &n), 0);
		cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "lie %d", lie);
		boot_report_free(in);
		free(block);
	}
}

/* Counts, strings and states of a report are checked. */
Test(report, with_wrong_counts_or_states_is_refused)
{
	struct boot_report *in = sample_report(), out;
	uint8_t *block;
	size_t n;

	in->guest.samples[3] = 2; /* but three values follow */
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	block[0] = 0x7f;
	cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "an unknown outcome");
	free(block);
	in->unit = "furlongs";
	cr_assert_eq(boot_report_encode(in, &block, &n), 0);
	cr_expect_eq(boot_report_decode(block, n, &out), -EBADMSG, "an unknown unit");
	free(block);
	boot_report_free(in);
}

Test(report, without_figures_has_its_reason)
{
	struct boot_report in, out;
	uint8_t *block;
	size_t n;

	boot_report_init(&in);
	in.outcome = BOOT_SKIP;
	strcpy(in.reason, "the machine does not have it");
	in.guest.samples[ABI_PHASE_EVENT] = 500; /* but no series */
	cr_assert_eq(boot_report_encode(&in, &block, &n), 0);
	cr_assert_eq(boot_report_decode(block, n, &out), 0);
	cr_expect_eq(out.outcome, BOOT_SKIP);
	cr_expect_str_eq(out.reason, in.reason);
	boot_report_free(&out);
	free(block);
}
