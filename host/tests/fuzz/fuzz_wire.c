/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a lab's machine sends: frames, reports, descriptions of the machine; and jobs,
 * which the machine receives.
 *
 * The first byte selects how the rest is used: as bytes of the wire, as a plan of frames
 * and of noise between them, as an encoded job or report, or as a job or report and what
 * is changed in its code.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/targets/target.h"
#include "host/targets/lab/wire.h"
#include "host/tests/fuzz/fuzz.h"

static void use_report(const uint8_t *bytes, size_t n)
{
	struct boot_report rep, again;
	uint8_t *one, *two;
	size_t n_one, n_two;

	if (boot_report_decode(bytes, n, &rep))
		return;
	/* The block can have other bytes behind the end of a text. */
	if (boot_report_encode(&rep, &one, &n_one))
		abort();
	FUZZ_CHECK(n_one == n, "%zu bytes of %zu", n_one, n);
	FUZZ_CHECK(!boot_report_decode(one, n_one, &again), "a report that was encoded");
	if (boot_report_encode(&again, &two, &n_two))
		abort();
	FUZZ_CHECK(n_one == n_two && !memcmp(one, two, n_one),
		   "a report changes when it is sent on");
	free(one);
	free(two);
	boot_report_free(&again);
	boot_report_free(&rep);
}

static void use_frame(const struct lab_frame *f)
{
	struct error err = { "" };
	struct result *r;

	FUZZ_CHECK(f->type > 0 && f->type < LAB_FRAME_TYPES, "type %d", f->type);
	FUZZ_CHECK(f->size <= LAB_FRAME_RAW_MAX && !f->payload[f->size], "%zu bytes",
		   f->size);
	if (f->type == LAB_FRAME_REPORT)
		use_report(f->payload, f->size);
	if (f->type == LAB_FRAME_HEADER) {
		if (!result_parse((const char *)f->payload, f->size, &r, &err))
			result_free(r);
		else
			FUZZ_CHECK(*err.text, "no message");
	}
}

/* `chunk` bytes at a time, as they arrive. */
static void receive(const uint8_t *bytes, size_t n, size_t chunk,
		    void (*each)(void *ctx, const struct lab_frame *f), void *ctx,
		    struct lab_reader *r)
{
	struct lab_frame f;
	size_t at = 0;

	while (at < n) {
		size_t more = n - at < chunk ? n - at : chunk;

		if (lab_reader_push(r, bytes + at, more))
			abort();
		at += more;
		while (lab_reader_next(r, false, &f) == 1)
			each(ctx, &f);
	}
	while (lab_reader_next(r, true, &f) == 1)
		each(ctx, &f);
	FUZZ_CHECK(r->begin == r->end, "%zu bytes are left", r->end - r->begin);
}

static void ignore(void *ctx, const struct lab_frame *f)
{
	(void)ctx;
	use_frame(f);
}

/*
 * The bytes themselves. `seal`: headers get their checksums, as those of a machine that
 * lies have.
 */
static void use_bytes(struct fuzz_input *in, bool seal)
{
	size_t chunk = 1 + fuzz_byte(in) * 16u, n = in->left, at = 0;
	struct lab_reader r = { .bytes = NULL };
	uint8_t *copy = malloc(n + 1);

	if (!copy)
		abort();
	fuzz_get(in, copy, n);
	while (seal && n - at >= LAB_FRAME_HEADER_BYTES) {
		uint8_t *p = copy + at;
		uint32_t stored = lab_get_le32(p + 8) % 4096;

		if (stored > n - at - LAB_FRAME_HEADER_BYTES)
			stored = (uint32_t)(n - at - LAB_FRAME_HEADER_BYTES);
		lab_put_le32(p, LAB_FRAME_MAGIC);
		lab_put_le32(p + 4, 1 + p[4] % (LAB_FRAME_TYPES - 1));
		lab_put_le32(p + 8, stored);
		lab_put_le32(p + 16,
			     (uint32_t)crc32(0, p + LAB_FRAME_HEADER_BYTES, stored));
		lab_put_le32(p + 20, (uint32_t)crc32(0, p, 20));
		at += LAB_FRAME_HEADER_BYTES + stored;
	}
	receive(copy, n, chunk, ignore, NULL, &r);
	lab_reader_free(&r);
	free(copy);
}

#define SENT_MAX 8

/* The frames that must arrive. */
struct sent {
	struct {
		enum lab_frame_type type;
		const uint8_t *payload;
		size_t size;
	} list[SENT_MAX];
	size_t n, seen;
};

static void compare(void *ctx, const struct lab_frame *f)
{
	struct sent *sent = ctx;

	FUZZ_CHECK(sent->seen < sent->n, "a frame that was not sent: type %d", f->type);
	FUZZ_CHECK(f->type == sent->list[sent->seen].type &&
			   f->size == sent->list[sent->seen].size &&
			   !memcmp(f->payload, sent->list[sent->seen].payload, f->size),
		   "frame %zu: type %d of %zu bytes, sent %d of %zu", sent->seen, f->type,
		   f->size, sent->list[sent->seen].type, sent->list[sent->seen].size);
	sent->seen++;
	use_frame(f);
}

/* The payload of a type, at most; larger frames are damage. */
static size_t largest(enum lab_frame_type type)
{
	if (type == LAB_FRAME_AGAIN)
		return 0;
	return type == LAB_FRAME_HELLO || type == LAB_FRAME_END ? LAB_NUMBER_BYTES
								: LAB_FRAME_RAW_MAX;
}

/* Without the first byte of a frame: noise and damaged payloads contain no frame. */
static void strip(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] == (LAB_FRAME_MAGIC & 0xff))
			bytes[i] = 0;
}

/* Frames, noise between them, and payloads that are damaged on their way. */
static void use_plan(struct fuzz_input *in)
{
	size_t chunk = 1 + fuzz_byte(in) * 16u, n = 0;
	struct lab_reader r = { .bytes = NULL };
	struct sent sent = { .n = 0 };
	uint8_t *wire = malloc(4 * in->left + SENT_MAX * 4096), *frame;
	uint8_t *payloads = malloc(in->left + 1), *payload = payloads;

	if (!wire || !payloads)
		abort();
	for (int i = 0; i < SENT_MAX && in->left; i++) {
		uint8_t kind = fuzz_byte(in), damage;
		size_t noise = fuzz_byte(in) % 64, size = fuzz_byte(in) * 4u, bytes;
		enum lab_frame_type type =
			(enum lab_frame_type)(1 + kind % (LAB_FRAME_TYPES - 1));

		fuzz_get(in, wire + n, noise);
		strip(wire + n, noise);
		n += noise;
		damage = fuzz_byte(in);
		size = size < in->left ? size : in->left;
		size = size < largest(type) ? size : largest(type);
		fuzz_get(in, payload, size);
		strip(payload, size);
		if (lab_frame_encode(type, payload, size, size & 1, &frame, &bytes))
			abort();
		memcpy(wire + n, frame, bytes);
		free(frame);
		if (kind & 0x80 && damage && size) {
			wire[n + LAB_FRAME_HEADER_BYTES +
			     damage % (bytes - LAB_FRAME_HEADER_BYTES)] ^= damage;
		} else {
			sent.list[sent.n].type = type;
			sent.list[sent.n].payload = payload;
			sent.list[sent.n++].size = size;
		}
		n += bytes;
		payload += size;
	}
	receive(wire, n, chunk, compare, &sent, &r);
	FUZZ_CHECK(sent.seen == sent.n, "%zu frames of %zu", sent.seen, sent.n);
	lab_reader_free(&r);
	free(payloads);
	free(wire);
}

static void use_job(struct fuzz_input *in)
{
	static struct job_decoded one, two;
	uint8_t block[JOB_BYTES], again[JOB_BYTES], third[JOB_BYTES];

	fuzz_get(in, block, sizeof(block));
	if (job_decode(block, &one))
		return;
	FUZZ_CHECK(!job_encode(&one.job, again), "a decoded job does not fit");
	FUZZ_CHECK(!job_decode(again, &two), "an encoded job is not a job");
	FUZZ_CHECK(!job_encode(&two.job, third) && !memcmp(again, third, JOB_BYTES),
		   "a job changes when it is sent on");
}

/* Changes words of a block: where, 2 bytes, and the new value, 1 to 8 bytes. */
static void change(struct fuzz_input *in, uint8_t *block, size_t n)
{
	while (in->left > 2 && n) {
		uint16_t where;
		uint8_t value[8];
		size_t at, bytes = (size_t)1 << fuzz_byte(in) % 4;

		fuzz_get(in, &where, sizeof(where));
		fuzz_get(in, value, bytes);
		at = where % n;
		memcpy(block + at, value, bytes < n - at ? bytes : n - at);
	}
}

static void change_job(struct fuzz_input *in)
{
	const char *names[8], *payload = fuzz_byte(in) % 2 ? "payload.elf" : NULL;
	uint8_t block[JOB_BYTES];
	struct fuzz_input changed = { block, sizeof(block) };
	struct job job = { .benches = names, .configs = names, .tests = names };

	for (size_t i = 0; i < 8; i++)
		names[i] = bench_table[i].id;
	job.kind = (enum job_kind)(1 + fuzz_byte(in) % (JOB_KINDS - 1));
	job.n_benches = fuzz_byte(in) % 8u;
	job.n_configs = fuzz_byte(in) % 4u;
	job.n_tests = fuzz_byte(in) % 8u;
	job.payload = payload;
	if (job_encode(&job, block))
		abort();
	change(in, block, sizeof(block));
	use_job(&changed);
}

static void change_report(struct fuzz_input *in)
{
	static const char *const texts[] = { NULL, "hardware", "software", "cycles",
					     "insns" };
	struct boot_report rep;
	uint64_t series[16];
	uint8_t *block;
	size_t n;

	boot_report_init(&rep);
	rep.outcome = (enum boot_outcome)(fuzz_byte(in) % (BOOT_CRASH + 1));
	rep.unit = texts[fuzz_byte(in) % 5];
	rep.host_counters.source = texts[fuzz_byte(in) % 5];
	snprintf(rep.reason, sizeof(rep.reason), "%.*s", fuzz_byte(in), "a reason");
	for (size_t i = 0; i < 16; i++)
		series[i] = 1000 + i;
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		rep.guest.samples[phase] = fuzz_byte(in) % 17;
		rep.series[phase] = series;
	}
	if (boot_report_encode(&rep, &block, &n))
		abort();
	change(in, block, n);
	use_report(block, n);
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	switch (fuzz_byte(&in) % 7) {
	case 0:
		use_bytes(&in, false);
		break;
	case 1:
		use_bytes(&in, true);
		break;
	case 2:
		use_plan(&in);
		break;
	case 3:
		use_job(&in);
		break;
	case 5:
		change_job(&in);
		break;
	case 6:
		change_report(&in);
		break;
	default:
		use_report(in.at, in.left);
	}
	return 0;
}
