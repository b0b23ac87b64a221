/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the preloaded memory of a PC at kernel entry, by the boot protocol. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

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

/* As the kernel's build makes it (lz4 -l), in two blocks. */
static size_t pack_lz4(const uint8_t *in, size_t bytes)
{
	uint8_t *p = payload;

	lab_put_le32(p, 0x184c2102);
	p += 4;
	for (size_t at = 0; at < bytes;) {
		const size_t n = bytes - at < 3000 ? bytes - at : 3000;
		const int size =
			LZ4_compress_default((const char *)in + at, (char *)p + 4, (int)n,
					     payload + sizeof(payload) - p - 4);

		cr_assert_gt(size, 0);
		lab_put_le32(p, size);
		p += 4 + size;
		at += n;
	}
	lab_put_le32(p, bytes);
	return p + 4 - payload;
}

/* As zstd(1) makes it from a pipe: without the size of the content, with a checksum. */
static size_t pack_zstd(const uint8_t *in, size_t bytes)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(c, payload, sizeof(payload) - 4, in, bytes);
	cr_assert(!ZSTD_isError(n));
	ZSTD_freeCCtx(c);
	lab_put_le32(payload + n, bytes);
	return n + 4;
}

/* Ends in the size. */
static size_t pack_gzip(const uint8_t *in, size_t bytes)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in,
		       .avail_in = bytes,
		       .next_out = payload,
		       .avail_out = sizeof(payload) };

	cr_assert_eq(
		deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static const struct {
	const char *name;
	size_t (*pack)(const uint8_t *in, size_t bytes);
	size_t appended; /* bytes of the size that are not part of the stream */
	bool checked;	 /* the stream has a checksum */
} formats[] = {
	{ "gzip", pack_gzip, 0, true },
	{ "LZ4", pack_lz4, 4, false },
	{ "Zstandard", pack_zstd, 4, true },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

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
	for (size_t i = 0; i < FORMATS; i++) {
		put_payload(formats[i].pack((const uint8_t *)&elf, sizeof(elf)));
		cr_expect_eq(entry_of(&loaded), 16 * MIB + 16, "%s", formats[i].name);
		cr_expect(loaded, "%s", formats[i].name);
	}
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
	payload[0]++;
	put_payload(bytes);
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "another format");
	payload[0]--;
	for (size_t i = 0; i < FORMATS; i++) {
		const size_t n = formats[i].pack((const uint8_t *)&elf, sizeof(elf));

		memset(payload + 4, 0xff, 8);
		put_payload(n);
		cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "damaged %s",
			     formats[i].name);
		cr_expect_not(loaded, "damaged %s", formats[i].name);
	}
	put_payload(pack_lz4((const uint8_t *)&elf, sizeof(elf)));
	lab_put_le32((uint8_t *)(uintptr_t)what.kernel + 0x248, UINT32_MAX);
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "a payload beyond the end");
	elf.segment.p_paddr = 18 * MIB;
	put_payload(pack_lz4((const uint8_t *)&elf, sizeof(elf)));
	cr_expect_eq(entry_of(&loaded), 16 * MIB + 0x200, "a segment beyond its room");
	cr_expect_not(loaded);
}

/*
 * Unpacks a copy that ends where the allocation ends, so that a sanitizer finds a read
 * beyond the end; true: to the original.
 */
static bool unpacks(const uint8_t *packed, size_t bytes, size_t max, bool *unpacked)
{
	uint8_t *copy = memcpy(malloc(bytes + !bytes), packed, bytes), *out;
	size_t n = 0;
	bool equal;

	out = lab_vmlinux_unpack(copy, bytes, max, &n);
	*unpacked = out != NULL;
	equal = out && n == sizeof(elf) && !memcmp(out, &elf, n);
	free(out);
	free(copy);
	return equal;
}

Test(preload, a_stream_that_is_truncated_or_longer_is_refused)
{
	begin_elf();
	for (size_t i = 0; i < FORMATS; i++) {
		const size_t n = formats[i].pack((const uint8_t *)&elf, sizeof(elf));
		const size_t stream = n - formats[i].appended;
		uint8_t bad[sizeof(payload)];
		bool unpacked;

		cr_expect(unpacks(payload, n, sizeof(elf), &unpacked), "%s",
			  formats[i].name);
		cr_expect_not(unpacks(payload, n, sizeof(elf) - 1, &unpacked));
		cr_expect_not(unpacked, "%s: larger than there is room", formats[i].name);
		/* The end is missing, with and without the size behind it. */
		for (size_t size = 0; size < n - 4; size++) {
			memcpy(bad, payload, size);
			(void)unpacks(bad, size, MIB, &unpacked);
			cr_expect_not(unpacked, "%s: %zu", formats[i].name, size);
			lab_put_le32(bad + size, sizeof(elf));
			(void)unpacks(bad, size + 4, MIB, &unpacked);
			cr_expect_not(unpacked, "%s: %zu and the size", formats[i].name,
				      size);
		}
		memcpy(bad, payload, stream);
		memset(bad + stream, 0x55, 7);
		lab_put_le32(bad + stream + 7, sizeof(elf));
		(void)unpacks(bad, stream + 11, MIB, &unpacked);
		cr_expect(!unpacked || !formats[i].appended,
			  "%s: bytes behind the stream", formats[i].name);
	}
}

Test(preload, a_size_that_lies_is_refused)
{
	static const uint32_t lies[] = { 0,   1,	 sizeof(elf) - 1, sizeof(elf) + 1,
					 MIB, UINT32_MAX };
	bool unpacked;

	begin_elf();
	for (size_t i = 0; i < FORMATS; i++) {
		const size_t n = formats[i].pack((const uint8_t *)&elf, sizeof(elf));

		for (size_t j = 0; j < sizeof(lies) / sizeof(lies[0]); j++) {
			lab_put_le32(payload + n - 4, lies[j]);
			(void)unpacks(payload, n, UINT32_MAX, &unpacked);
			cr_expect_not(unpacked, "%s: %u", formats[i].name, lies[j]);
		}
	}
	/* Sizes within a stream: of a block, and the one in the header of a frame. */
	for (uint32_t size = 0; size < 5; size++) {
		const size_t n = pack_lz4((const uint8_t *)&elf, sizeof(elf));

		/* 0, then -4 to -1 */
		lab_put_le32(payload + 4, size ? size - 5 : 0);
		(void)unpacks(payload, n, MIB, &unpacked);
		cr_expect_not(unpacked, "a block of %u", lab_get_le32(payload + 4));
	}
	for (int more = -1; more <= 1; more += 2) {
		size_t n = ZSTD_compress(payload, sizeof(payload), &elf, sizeof(elf), 1);

		cr_assert_eq(ZSTD_getFrameContentSize(payload, n), sizeof(elf));
		/* A field of two bytes behind magic and descriptor, less 256. */
		cr_assert_eq((payload[5] | payload[6] << 8) + 256, sizeof(elf));
		payload[5] += more;
		lab_put_le32(payload + n, sizeof(elf) + more);
		(void)unpacks(payload, n + 4, MIB, &unpacked);
		cr_expect_not(unpacked, "a frame that states %+d", more);
	}
}

/* No damage is an access out of bounds (asan), and none is accepted despite a checksum.
 */
Test(preload, a_damaged_stream_is_refused)
{
	begin_elf();
	for (size_t i = 0; i < FORMATS; i++) {
		const size_t n = formats[i].pack((const uint8_t *)&elf, sizeof(elf));
		size_t refused = 0;
		bool unpacked;

		for (size_t at = 0; at < n; at++) {
			const uint8_t kept = payload[at];

			for (int bit = 0; bit < 8; bit++) {
				payload[at] = kept ^ 1 << bit;
				/* Comments in the header of gzip may differ. */
				if (!unpacks(payload, n, MIB, &unpacked) && unpacked)
					cr_expect_not(formats[i].checked, "%s: byte %zu",
						      formats[i].name, at);
				refused += !unpacked;
			}
			payload[at] = kept;
		}
		cr_expect_gt(refused, n, "%s", formats[i].name);
	}
}
