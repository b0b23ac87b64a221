/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the kernel in the memory of a machine of QEMU. */
#include <criterion/criterion.h>
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
	fd = qemu_image_load(kernel, file, MEMORY);
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
