/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of what a snapshot has of QEMU's migration stream. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/targets/lab/qemu.h"
#include "host/targets/lab/session.h"

#define PAGE 4096
enum { ZERO = 0x02, DATA = 0x08, EOS = 0x10, SAME_BLOCK = 0x20 };

/* A stream, and what is expected of it. */
struct stream {
	uint8_t bytes[8 * PAGE];
	size_t n;
};

static void put(struct stream *s, const void *bytes, size_t n)
{
	cr_assert(s->n + n <= sizeof(s->bytes));
	memcpy(s->bytes + s->n, bytes, n);
	s->n += n;
}

static void put_number(struct stream *s, uint64_t value)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	put(s, bytes, sizeof(bytes));
}

static void put_name(struct stream *s, const char *name)
{
	const uint8_t n = (uint8_t)strlen(name);

	put(s, &n, 1);
	put(s, name, n);
}

/* Begins the stream by the list of its blocks. */
static void begin(struct stream *s, uint64_t wire_address, bool has_wire)
{
	s->n = 0;
	put(s, "QEVM", 4);
	if (has_wire) {
		put_name(s, "0000:00:01.0/wire");
		put_number(s, LAB_SHARED_BYTES);
		put_number(s, wire_address);
	}
	put_name(s, "virt.flash0");
	put_number(s, 64 << 20);
	put_number(s, 0);
}

/* A page of zeros, or of `fill`; block: NULL for that of the page before. */
static void put_zero(struct stream *s, const char *block, uint64_t address, uint8_t fill)
{
	put_number(s, address | ZERO | (block ? 0 : SAME_BLOCK));
	if (block)
		put_name(s, block);
	put(s, &fill, 1);
}

static void put_data(struct stream *s, const char *block, uint64_t address)
{
	/* What looks like entries of zeros is not parsed. */
	static const uint8_t page[PAGE] = { 0, 0, 0, 0, 0, 0, 0, ZERO | SAME_BLOCK };

	put_number(s, address | DATA | (block ? 0 : SAME_BLOCK));
	if (block)
		put_name(s, block);
	put(s, page, sizeof(page));
}

static void next_section(struct stream *s, uint8_t kind)
{
	put_number(s, EOS);
	put(s, "\x7e\0\0\0\2", 5);
	put(s, &kind, 1);
	put(s, "\0\0\0\2", 4);
}

/* The last section of memory, and the first of a device. */
static void end(struct stream *s)
{
	static const uint8_t device[64] = { 4, 0, 0, 0, 8, 9, 'a', 'r', 'm' };

	next_section(s, 3);
	put_number(s, EOS);
	put(s, "\x7e\0\0\0\2", 5);
	put(s, device, sizeof(device));
	/* No entry of memory: it stays. */
	put_zero(s, NULL, 0, 0);
}

static void expect_equal(const struct stream *got, const struct stream *wanted)
{
	cr_assert_eq(got->n, wanted->n, "%zu bytes, not %zu", got->n, wanted->n);
	cr_assert_arr_eq(got->bytes, wanted->bytes, wanted->n);
}

Test(stream, pages_of_empty_flash_are_left_out)
{
	static struct stream got, wanted;

	begin(&got, 0x10000000, true);
	put_zero(&got, "virt.flash0", 0, 0);
	for (uint64_t at = PAGE; at < 100 * PAGE; at += PAGE) {
		if (at == 50 * PAGE)
			next_section(&got, 2);
		put_zero(&got, NULL, at, 0);
	}
	put_data(&got, NULL, 100 * PAGE);
	put_zero(&got, NULL, 101 * PAGE, 0);
	put_zero(&got, NULL, 102 * PAGE, 1);
	put_zero(&got, "virt.flash1", 0, 0);
	put_zero(&got, NULL, PAGE, 0);
	put_data(&got, "/rom@etc/acpi/tables", 0);
	put_zero(&got, NULL, PAGE, 0);
	end(&got);

	begin(&wanted, 0, true);
	put_zero(&wanted, "virt.flash0", 0, 0);
	next_section(&wanted, 2);
	put_data(&wanted, NULL, 100 * PAGE);
	put_zero(&wanted, NULL, 102 * PAGE, 1);
	put_zero(&wanted, "virt.flash1", 0, 0);
	put_data(&wanted, "/rom@etc/acpi/tables", 0);
	put_zero(&wanted, NULL, PAGE, 0);
	end(&wanted);

	cr_assert_eq(qemu_stream_trim(got.bytes, &got.n), 0);
	expect_equal(&got, &wanted);
}

Test(stream, anything_else_stays)
{
	static struct stream got, wanted;

	begin(&got, 0x10000000, true);
	put_data(&got, "virt.flash0", 0);
	put_zero(&got, NULL, PAGE, 0);
	end(&got);
	begin(&wanted, 0, true);
	put_data(&wanted, "virt.flash0", 0);
	put_zero(&wanted, NULL, PAGE, 0);
	end(&wanted);
	cr_assert_eq(qemu_stream_trim(got.bytes, &got.n), 0);
	expect_equal(&got, &wanted);

	/* An entry that is not known. */
	begin(&got, 0, true);
	put_zero(&got, "virt.flash0", 0, 0);
	put_number(&got, 0x100);
	put_zero(&got, NULL, PAGE, 0);
	end(&got);
	wanted = got;
	cr_assert_eq(qemu_stream_trim(got.bytes, &got.n), 0);
	expect_equal(&got, &wanted);
}

Test(stream, a_part_of_one_is_not_read_past_its_end)
{
	static struct stream whole;

	begin(&whole, 0, true);
	put_zero(&whole, "virt.flash0", 0, 0);
	put_zero(&whole, NULL, PAGE, 0);
	next_section(&whole, 2);
	put_data(&whole, "virt.flash1", 0);
	end(&whole);
	for (size_t n = 0; n <= whole.n; n++) {
		/* The sanitizer knows its end. */
		uint8_t *part = malloc(n + !n);
		size_t left = n;

		memcpy(part, whole.bytes, n);
		if (!qemu_stream_trim(part, &left))
			cr_assert(left == n || left == n - 9, "%zu of %zu", left, n);
		free(part);
	}
}

Test(stream, without_a_wire_is_refused)
{
	static struct stream s;

	begin(&s, 0, false);
	end(&s);
	cr_expect_eq(qemu_stream_trim(s.bytes, &s.n), -EPROTO);
}
