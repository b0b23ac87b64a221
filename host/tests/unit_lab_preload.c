/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the preloaded memory of a PC at kernel entry, by the boot protocol. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"

#define SETUP_BYTES 1024u
#define BODY_BYTES  0x1000u
#define MIB	    (1u << 20)

static uint8_t kernel[SETUP_BYTES + BODY_BYTES];
static struct lab_preload what;
static struct error err;

/* A bzImage of one setup sector, protocol 2.15, to be loaded at 16 MiB. */
static void begin(void)
{
	kernel[0x1f1] = 1;
	kernel[0x201] = 0x66;
	memcpy(kernel + 0x202, "HdrS", 4);
	kernel[0x206] = 0x0f;
	kernel[0x207] = 2;
	kernel[0x236] = 1;
	lab_put_le32(kernel + 0x258, 16 * MIB);
	lab_put_le32(kernel + 0x260, 2 * MIB);
	memset(kernel + SETUP_BYTES, 0xcc, BODY_BYTES);
	what = (struct lab_preload){
		.kernel = kernel,
		.kernel_bytes = sizeof(kernel),
		.initramfs = (const uint8_t *)"initramfs",
		.initramfs_bytes = 9,
		.command_line = "quiet x=y",
		.memory_bytes = 64 * MIB,
	};
}

TestSuite(preload, .init = begin);

static uint32_t word(const uint8_t *image, uint32_t gpa)
{
	return lab_get_le32(image + (gpa - PRELOAD_BASE));
}

/* Walks the page tables in the image, with pages of 2 MiB. */
static uint64_t translate(const uint8_t *image, uint64_t address)
{
	uint32_t table = word(image, PRELOAD_BASE + PRELOAD_AT_TABLES);

	for (int shift = 39; shift >= 21; shift -= 9) {
		uint32_t row = word(image, table + 8 * (address >> shift & 511));

		cr_assert_eq(row & 3, 3, "present and writable");
		cr_assert_eq(!!(row & 0x80), shift == 21, "a large page at the end");
		table = row & ~0xfffu;
	}
	return table | (address & ((1u << 21) - 1));
}

Test(preload, follows_the_boot_protocol)
{
	int fd = lab_preload(&what, &err);
	uint32_t params, initrd;
	struct stat st;
	uint8_t *image;

	cr_assert_geq(fd, 0, "%s", err.text);
	cr_assert_eq(fstat(fd, &st), 0);
	image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(image, MAP_FAILED);
	cr_expect_eq(word(image, PRELOAD_BASE + PRELOAD_AT_MAGIC), PRELOAD_MAGIC);
	cr_expect_eq(word(image, PRELOAD_BASE + PRELOAD_AT_BYTES), st.st_size);
	cr_expect_eq(st.st_size % 4096, 0);
	cr_expect_eq(lab_get_le32(image + st.st_size - 4), PRELOAD_MAGIC);
	cr_expect_eq(word(image, PRELOAD_BASE + PRELOAD_AT_ENTRY), 16 * MIB + 0x200);
	cr_expect_eq(word(image, 16 * MIB), 0xcccccccc, "the kernel without its setup");

	params = word(image, PRELOAD_BASE + PRELOAD_AT_PARAMS);
	cr_expect_eq(word(image, params + 0x202), 0x53726448, "the setup header");
	cr_expect_str_eq((char *)image + word(image, params + 0x228) - PRELOAD_BASE,
			 "quiet x=y");
	initrd = word(image, params + 0x218);
	cr_expect_geq(initrd, 18 * MIB, "behind what the kernel becomes");
	cr_expect_eq(word(image, params + 0x21c), 9);
	cr_assert(image);
	cr_expect_arr_eq(image + (initrd - PRELOAD_BASE), "initramfs", 9);
	/* The last entry of the memory map ends at the end of memory. */
	cr_expect_eq(image[params - PRELOAD_BASE + 0x1e8], 2);
	cr_expect_eq(word(image, params + 0x2d0 + 20) + word(image, params + 0x2d0 + 28),
		     64 * MIB);
	munmap(image, st.st_size);
	close(fd);
}

Test(preload, the_identity_map_includes_the_firmware)
{
	static const uint32_t addresses[] = { 0, PRELOAD_BASE, 16 * MIB, 64 * MIB,
					      0xfffff000 };
	int fd = lab_preload(&what, &err);
	struct stat st;
	uint8_t *image;

	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(image, MAP_FAILED);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		cr_expect_eq(translate(image, addresses[i]), addresses[i]);
	munmap(image, st.st_size);
	close(fd);
}

Test(preload, unsupported_kernels_are_refused)
{
	kernel[0x206] = 0x0b;
	cr_expect_eq(lab_preload(&what, &err), -ENOEXEC);
	cr_expect_not_null(strstr(err.text, "64-bit entry"), "%s", err.text);
	begin();
	kernel[0x236] = 0;
	cr_expect_eq(lab_preload(&what, &err), -ENOEXEC, "a 32-bit kernel");
	begin();
	what.kernel_bytes = 0x220;
	cr_expect_eq(lab_preload(&what, &err), -ENOEXEC, "cut in its header");
	what.kernel_bytes = SETUP_BYTES + 0x200;
	cr_expect_eq(lab_preload(&what, &err), -ENOEXEC, "cut before its entry");
	begin();
	lab_put_le32(kernel + 0x258, MIB);
	cr_expect_eq(lab_preload(&what, &err), -ENOEXEC, "it would be over our tables");
}

Test(preload, a_kernel_that_does_not_fit_is_refused)
{
	static char line[5000];

	what.memory_bytes = 18 * MIB;
	cr_expect_eq(lab_preload(&what, &err), -EFBIG);
	cr_expect_not_null(strstr(err.text, "18 MiB"), "%s", err.text);
	begin();
	lab_put_le32(kernel + 0x260, 0xffffffff);
	cr_expect_eq(lab_preload(&what, &err), -EFBIG);
	begin();
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	what.command_line = line;
	cr_expect_eq(lab_preload(&what, &err), -EINVAL);
}

static uint8_t sum_of(const uint8_t *p, size_t bytes)
{
	uint8_t sum = 0;

	while (bytes)
		sum += p[--bytes];
	return sum;
}

/* ACPI 6.5, chapter 5.2: what Linux requires of the tables, by which it starts all CPUs.
 */
Test(preload, a_machine_of_two_cpus_has_a_table_of_them)
{
	uint8_t firmware[PRELOAD_ROM_BYTES] = { 0 };
	const uint8_t *pointer = firmware + PRELOAD_ROM_TABLES, *root, *lapics;

	lab_preload_cpus(firmware, 2);
	cr_assert(!memcmp(pointer, "RSD PTR ", 8), "and on a boundary of 16 bytes");
	cr_expect_eq(sum_of(pointer, 20), 0);
	cr_expect_eq(sum_of(pointer, lab_get_le32(pointer + 20)), 0);
	/* The page is the last one of the first MiB, too. */
	root = firmware + (lab_get_le32(pointer + 24) - 0xff000);
	cr_assert(root > pointer && root < firmware + 0xff0);
	cr_expect(!memcmp(root, "XSDT", 4));
	cr_expect_eq(lab_get_le32(root + 4), 44, "one table");
	cr_expect_eq(sum_of(root, 44), 0);
	lapics = firmware + (lab_get_le32(root + 36) - 0xff000);
	cr_assert(lapics > root && lapics < firmware + 0xff0);
	cr_expect(!memcmp(lapics, "APIC", 4));
	cr_expect_eq(lab_get_le32(lapics + 4), 44 + 2 * 8);
	cr_expect_eq(sum_of(lapics, 44 + 2 * 8), 0);
	cr_expect_eq(lab_get_le32(lapics + 36), 0xfee00000);
	for (uint8_t i = 0; i < 2; i++) {
		const uint8_t cpu[8] = { 0, 8, i, i, 1 };

		cr_expect(!memcmp(lapics + 44 + 8 * i, cpu, 8), "CPU %u", i);
	}
	cr_expect_eq(sum_of(firmware, PRELOAD_ROM_TABLES), 0, "the code is as before");
}

/* An ELF kernel of one segment at 16 MiB, entered 16 bytes behind its beginning. */
static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t code[4096];
} elf;

static uint8_t payload[8192];

static void begin_elf(void)
{
	memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
	elf.header.e_machine = EM_X86_64;
	elf.header.e_entry = 16 * MIB + 16;
	elf.header.e_phoff = sizeof(elf.header);
	elf.header.e_phentsize = sizeof(elf.segment);
	elf.header.e_phnum = 1;
	elf.segment.p_type = PT_LOAD;
	elf.segment.p_paddr = 16 * MIB;
	elf.segment.p_offset = sizeof(elf.header) + sizeof(elf.segment);
	elf.segment.p_filesz = sizeof(elf.code);
	for (size_t i = 0; i < sizeof(elf.code); i++)
		elf.code[i] = i % 251 + i / 1024;
}

/* As the kernel's build makes it (lz4 -l), in two blocks of literals. */
static size_t pack_lz4(const uint8_t *in, size_t bytes)
{
	uint8_t *p = payload;

	lab_put_le32(p, 0x184c2102);
	p += 4;
	for (size_t at = 0, n; at < bytes; at += n, p += n) {
		uint8_t *block = p + 4, *to = block;

		n = bytes - at < 3000 ? bytes - at : 3000;
		*to++ = 0xf0;
		for (size_t left = n - 15;; left -= 255) {
			*to++ = left < 255 ? left : 255;
			if (left < 255)
				break;
		}
		memcpy(to, in + at, n);
		lab_put_le32(p, to + n - block);
		p = to;
	}
	lab_put_le32(p, bytes);
	return p + 4 - payload;
}

static void put_payload(size_t bytes)
{
	begin();
	/* In place of the code, the payload. */
	cr_assert_leq(bytes, BODY_BYTES + 4096);
	what.kernel =
		memcpy(malloc(SETUP_BYTES + 2 * BODY_BYTES), kernel, sizeof(kernel));
	memcpy((uint8_t *)(uintptr_t)what.kernel + SETUP_BYTES + 0x400, payload, bytes);
	lab_put_le32((uint8_t *)(uintptr_t)what.kernel + 0x248, 0x400);
	lab_put_le32((uint8_t *)(uintptr_t)what.kernel + 0x24c, bytes);
	what.kernel_bytes = SETUP_BYTES + 0x400 + bytes;
	what.command_line = "quiet nokaslr";
	what.unpack = true;
}

/* The entry, and whether the segment is at 16 MiB. */
static uint32_t entry_of(bool *loaded)
{
	int fd = lab_preload(&what, &err);
	uint8_t *p;
	uint32_t entry;

	cr_assert_geq(fd, 0, "%s", err.text);
	p = mmap(NULL, 16 * MIB, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(p, MAP_FAILED);
	entry = lab_get_le32(p + PRELOAD_AT_ENTRY);
	*loaded = !memcmp(p + 16 * MIB - PRELOAD_BASE, elf.code, sizeof(elf.code));
	munmap(p, 16 * MIB);
	close(fd);
	free((void *)(uintptr_t)what.kernel);
	return entry;
}

Test(preload, a_kernel_is_entered_decompressed)
{
	bool loaded;

	begin_elf();
	put_payload(pack_lz4((const uint8_t *)&elf, sizeof(elf)));
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 16);
	cr_expect(loaded);
}

Test(preload, a_kernel_that_cannot_be_unpacked_decompresses_itself)
{
	size_t bytes;
	bool loaded;

	begin_elf();
	bytes = pack_lz4((const uint8_t *)&elf, sizeof(elf));
	put_payload(bytes);
	what.unpack = false;
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "of L1");
	put_payload(bytes);
	what.command_line = "quiet";
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "the kernel may move itself");
	payload[0]++;
	put_payload(bytes);
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "another format");
	payload[0]--;
	put_payload(bytes);
	lab_put_le32((uint8_t *)(uintptr_t)what.kernel + 0x248, UINT32_MAX);
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "a payload beyond the end");
	elf.segment.p_paddr = 18 * MIB;
	put_payload(pack_lz4((const uint8_t *)&elf, sizeof(elf)));
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "a segment beyond its room");
	cr_expect_not(loaded);
}

Test(preload, lz4_copies_what_it_has_written)
{
	/* "ab", then 9 bytes from 2 bytes before, and 3 literals. */
	static const uint8_t block[] = {
		0x02, 0x21, 0x4c, 0x18, 9,   0,	  0,  0, 0x25, 'a', 'b',
		2,    0,    0x30, 'x',	'y', 'z', 14, 0, 0,    0,
	};
	uint8_t bad[sizeof(block)], *out;
	size_t bytes;

	out = lab_vmlinux_unpack(block, sizeof(block), 64, &bytes);
	cr_assert_not_null(out);
	cr_expect_eq(bytes, 14);
	cr_expect(!memcmp(out, "abababababaxyz", 14));
	free(out);
	cr_expect_null(lab_vmlinux_unpack(block, sizeof(block), 13, &bytes), "too large");
	memcpy(bad, block, sizeof(bad));
	bad[11] = 3;
	cr_expect_null(lab_vmlinux_unpack(bad, sizeof(bad), 64, &bytes),
		       "a match before the beginning");
	memcpy(bad, block, sizeof(bad));
	bad[13] = 0x40;
	cr_expect_null(lab_vmlinux_unpack(bad, sizeof(bad), 64, &bytes),
		       "literals beyond the end");
	for (size_t size = 0; size < sizeof(block); size++) {
		memcpy(bad, block, size);
		cr_expect_null(lab_vmlinux_unpack(bad, size, 1 << 20, &bytes), "%zu",
			       size);
	}
}
