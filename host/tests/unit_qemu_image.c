/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the kernel in the memory of a machine of QEMU. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/qemu.h"

#define MIB	(1u << 20)
#define MEMORY	(64u * MIB)
#define RESERVE (3u * MIB) /* of the image in memory, with what is behind the file */

/* An Image (Documentation/arch/arm64/booting.rst) of two pages and some bytes. */
#define IMAGE_BYTES 8200u
static uint8_t image[IMAGE_BYTES];

static void put64(size_t at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		image[at + (size_t)i] = (uint8_t)(value >> (8 * i));
}

static void make_image(uint64_t text_offset, uint64_t image_size)
{
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i % 251 + 1);
	memcpy(image + 56, "ARM\x64", 4);
	put64(8, text_offset);
	put64(16, image_size);
}

static uint64_t place(void)
{
	return qemu_image_place(image, sizeof(image), sizeof(image), MEMORY);
}

Test(image, is_placed_where_qemu_places_it)
{
	/* Behind QEMU's own code, which is in the first page. */
	make_image(0, RESERVE);
	cr_expect_eq(place(), 2 * MIB);
	make_image(4095, RESERVE);
	cr_expect_eq(place(), 2 * MIB + 4095);
	make_image(0x80000, RESERVE);
	cr_expect_eq(place(), 0x80000);
	make_image(MEMORY - RESERVE, RESERVE);
	cr_expect_eq(place(), MEMORY - RESERVE);
}

Test(image, is_left_to_qemu_otherwise)
{
	make_image(0, 0); /* before Linux 3.17 */
	cr_expect_eq(place(), 0);
	make_image(0, sizeof(image) - 1);
	cr_expect_eq(place(), 0);
	make_image(MEMORY - RESERVE + 1, RESERVE);
	cr_expect_eq(place(), 0);
	make_image(UINT64_MAX - 4095, RESERVE);
	cr_expect_eq(place(), 0);
	make_image(0x80000, UINT64_MAX);
	cr_expect_eq(place(), 0);
	make_image(0, RESERVE);
	cr_expect_eq(qemu_image_place(image, 4095, sizeof(image), MEMORY), 0);
	image[56] = 'a';
	cr_expect_eq(place(), 0);
	/* Compressed. */
	memcpy(image, "\x1f\x8b", 2);
	cr_expect_eq(place(), 0);
}

/* Loads the image. The size of the file that QEMU starts, which begins as the image does.
 */
static size_t load(uint8_t **memory)
{
	const int kernel = lab_memory_file("kernel", image, sizeof(image));
	const int file = memfd_create("memory", MFD_CLOEXEC);
	static uint8_t head[2 * IMAGE_BYTES];
	ssize_t n;
	int fd;

	cr_assert(kernel >= 0 && file >= 0 && !ftruncate(file, MEMORY));
	fd = qemu_image_load(kernel, file, MEMORY, false);
	cr_assert_geq(fd, 0);
	n = pread(fd, head, sizeof(head), 0);
	cr_assert_gt(n, 0);
	cr_assert_arr_eq(head, image, (size_t)n);
	*memory = mmap(NULL, MEMORY, PROT_READ, MAP_SHARED, file, 0);
	cr_assert_neq(*memory, MAP_FAILED);
	close(fd);
	close(file);
	close(kernel);
	return (size_t)n;
}

Test(image, is_in_the_memory_and_qemu_starts_its_first_page)
{
	uint8_t *memory;

	make_image(0, RESERVE);
	cr_expect_eq(load(&memory), 4096);
	cr_expect_arr_eq(memory + 2 * MIB, image, sizeof(image));
	for (size_t i = 0; i < MEMORY; i++)
		if (i < 2 * MIB || i >= 2 * MIB + sizeof(image))
			cr_assert_eq(memory[i], 0, "%zu", i);
}

Test(image, that_qemu_reads_is_the_whole_file)
{
	uint8_t *memory;

	make_image(0, 0);
	cr_expect_eq(load(&memory), sizeof(image));
	for (size_t i = 0; i < MEMORY; i++)
		cr_assert_eq(memory[i], 0, "%zu", i);
}

/* ------------------------------ ftrace ------------------------------ */

#define BASE	   UINT64_C(0xffff800080000000)
#define TRACED	   (1u << 19)
#define MESSAGE_AT 0x7e002u
#define BLOCK_AT   0x10000u
#define TABLE_AT   0x20000u
#define SITES_AT   0x40000u
#define SITES	   1500u
#define NOP	   0xd503201fu
#define BTI_C	   0xd503245fu
#define MOV	   0xaa1e03e9u
#define CBNZ_X1_2  0xb5000041u /* over the next instruction */
#define RET	   0xd65f03c0u

/* What the kernel's build makes, of which there are several kinds. */
struct kind {
	bool rela; /* the table is in relocations, and NULL in place */
	bool ops;  /* two NOPs before the function, too */
	bool bti;
	bool apart; /* the message is printed behind the function */
};

static uint8_t traced[TRACED], before[TRACED];

static void put32(size_t at, uint32_t value)
{
	memcpy(traced + at, &value, 4);
}

static uint32_t get32(size_t at)
{
	uint32_t value;

	memcpy(&value, traced + at, 4);
	return value;
}

static void put_word(size_t at, uint64_t value)
{
	memcpy(traced + at, &value, 8);
}

/* ADRP and ADD of the message. */
static void put_user(size_t at)
{
	const uint32_t pages = (uint32_t)(MESSAGE_AT / 4096 - at / 4096);

	put32(at, 0x90000000 | (pages & 3) << 29 | pages >> 2 << 5);
	put32(at + 4, 0x91000000 | (MESSAGE_AT % 4096) << 10);
}

/* Of a site, the instruction that is to be replaced. */
static size_t entry(const struct kind *k, size_t i)
{
	return SITES_AT + 64 * i + (k->ops ? 8 : 0) + (k->ops && k->bti ? 4 : 0);
}

static void make_kernel(const struct kind *k)
{
	memset(traced, 0, sizeof(traced));
	strcpy((char *)traced + MESSAGE_AT, "\001"
					    "6ftrace: No functions to be traced?\n");
	put_user(BLOCK_AT);
	put32(BLOCK_AT - 4, k->apart ? RET : CBNZ_X1_2 + 0x60);
	if (k->apart)
		put32(BLOCK_AT - 40, 0xb4000000 | 10 << 5 | 1); /* CBZ X1, the block */
	for (size_t i = 0; i < SITES; i++) {
		const size_t at = SITES_AT + 64 * i;

		for (size_t n = 0; n < 4; n++)
			put32(at + 4 * n, n < 2 || k->ops ? NOP : 0x8b000000);
		if (k->ops && k->bti) {
			put32(at + 8, BTI_C);
			put32(at + 16, NOP);
		}
		if (k->rela) {
			put_word(TABLE_AT + 24 * i, BASE + 0x70000 + 8 * i);
			put_word(TABLE_AT + 24 * i + 8, 0x403);
			put_word(TABLE_AT + 24 * i + 16, BASE + at);
		} else {
			put_word(TABLE_AT + 8 * i, BASE + at);
		}
	}
	/* A function whose own first instructions are NOPs: not the NOPs of ftrace. */
	if (!k->ops)
		for (size_t n = 2; n < 4; n++)
			put32(SITES_AT + 4 * n, NOP);
	memcpy(before, traced, sizeof(traced));
}

static const struct kind kinds[] = {
	{ .rela = true },		/* Linux 6.1 */
	{ .rela = true, .ops = true },	/* 6.12 */
	{ .ops = true, .apart = true }, /* 7.3 has RELR: addresses in place */
	{ .ops = true, .bti = true },
	{ .rela = true, .apart = true },
};

Test(ftrace, is_prepared_in_every_kind_of_kernel)
{
	for (size_t n = 0; n < sizeof(kinds) / sizeof(kinds[0]); n++) {
		const struct kind *k = &kinds[n];
		size_t differ = 0, branch = k->apart ? BLOCK_AT - 40 : BLOCK_AT - 4;

		make_kernel(k);
		cr_assert_eq(qemu_image_trace(traced, sizeof(traced)), SITES, "%zu", n);
		/* To the message, or not over it. */
		cr_expect_eq(get32(branch), k->apart ? 0x14000000 | 10 : NOP, "%zu", n);
		for (size_t i = 0; i < SITES; i++)
			cr_assert_eq(get32(entry(k, i)), MOV, "%zu: %zu", n, i);
		for (size_t at = 0; at < sizeof(traced); at += 4)
			differ += memcmp(traced + at, before + at, 4) != 0;
		cr_expect_eq(differ, SITES + 1, "%zu", n);
	}
}

/* A kernel that one change makes another kind: it is not changed. */
static void expect_unchanged(const char *what)
{
	memcpy(before, traced, sizeof(traced));
	cr_expect_eq(qemu_image_trace(traced, sizeof(traced)), 0, "%s", what);
	cr_expect_arr_eq(traced, before, sizeof(traced), "%s", what);
}

Test(ftrace, is_left_to_a_kernel_that_is_not_understood)
{
	static const char text[] = "\001"
				   "6ftrace: No functions to be traced?\n";
	const struct kind *k = &kinds[0];

	make_kernel(k);
	traced[MESSAGE_AT + 4] = 'F';
	expect_unchanged("no message");
	make_kernel(k);
	memcpy(traced + MESSAGE_AT + 100, text, sizeof(text));
	expect_unchanged("two messages");
	make_kernel(k);
	put_user(BLOCK_AT + 0x400);
	expect_unchanged("two that print it");
	make_kernel(k);
	put32(BLOCK_AT - 4, 0x8b000000);
	expect_unchanged("no branch");
	make_kernel(k);
	put32(BLOCK_AT - 4, RET);
	expect_unchanged("no branch to it");
	make_kernel(&kinds[4]);
	put32(BLOCK_AT - 36, 0xb4000000 | 9 << 5 | 1);
	expect_unchanged("two branches to it");
	make_kernel(&kinds[4]);
	put32(BLOCK_AT - 4, 0x8b000000);
	expect_unchanged("a branch to the middle");
	make_kernel(k);
	for (size_t i = 700; i < 800; i++)
		put32(SITES_AT + 64 * i, 0x94000000); /* BL, as with -pg */
	expect_unchanged("too few in sequence");
	make_kernel(k);
	put_word(TABLE_AT + 24 * 750, BASE);
	expect_unchanged("two tables");
	make_kernel(&kinds[2]);
	put_word(TABLE_AT + 8 * 750, 0);
	expect_unchanged("a hole");
	memset(traced, 0xff, sizeof(traced));
	expect_unchanged("no kernel");
	cr_expect_eq(qemu_image_trace(traced, 0), 0);
	cr_expect_eq(qemu_image_trace(traced, 12), 0);
}

/* A relocation in the first words has none before it: in front of the image is nothing.
 */
Test(ftrace, begins_with_the_image)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *whole = mmap(NULL, page + TRACED, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert(whole != MAP_FAILED && !mprotect(whole, page, PROT_NONE));
	make_kernel(&kinds[0]);
	put_word(8, BASE);
	put_word(16, 0x403);
	put_word(24, BASE + SITES_AT);
	memcpy(whole + page, traced, TRACED);
	cr_expect_eq(qemu_image_trace(whole + page, TRACED), SITES);
	munmap(whole, page + TRACED);
}

/* The message at the beginning and at the end: nothing outside is read or written. */
Test(ftrace, ends_with_the_image)
{
	make_kernel(&kinds[0]);
	put_user(0);
	put32(BLOCK_AT, 0);
	expect_unchanged("nothing before it");
	make_kernel(&kinds[0]);
	put32(BLOCK_AT, 0);
	put_user(TRACED - 8);
	expect_unchanged("nothing behind it");
	for (size_t bytes = 0; bytes < 4096; bytes += 13) {
		uint8_t *copy = malloc(bytes + 1);

		memcpy(copy, traced + TRACED - 4096, bytes);
		cr_expect_eq(qemu_image_trace(copy, bytes), 0);
		free(copy);
	}
}
