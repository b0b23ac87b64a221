/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: payloads and programs in ELF, kernels (bzImage, Image), modules. The first byte
 * selects the reader, the rest is the file.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/explain/trace.h"
#include "host/explain/symbols.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"
#include "host/tests/fuzz/fuzz.h"
#include "host/vmm/vmm.h"

#define RAM_GPA	  0x100000ull
#define RAM_BYTES 0x10000ull
#define GUARD	  64u

/* Every byte of the memory is the file's, 0, or as it was; none beside it is written. */
static void load(const uint8_t *file, size_t size)
{
	static uint8_t memory[GUARD + RAM_BYTES + GUARD];
	static struct vm vm;
	uint64_t entry;
	int rc;

	memset(memory, 0xa5, sizeof(memory));
	vm.ram = memory + GUARD;
	vm.ram_gpa = RAM_GPA;
	vm.ram_bytes = RAM_BYTES;
	rc = vm_load(&vm, file, size, &entry);
	FUZZ_CHECK(!rc || rc == -ENOEXEC, "%d", rc);
	for (size_t i = 0; i < GUARD; i++)
		FUZZ_CHECK(memory[i] == 0xa5 && memory[GUARD + RAM_BYTES + i] == 0xa5,
			   "memory beside the guest's was written");
}

struct seen {
	const uint8_t *file;
	size_t size;
};

static int each_function(void *ctx, uint64_t vaddr, uint64_t bytes, const char *name,
			 size_t name_bytes)
{
	const struct seen *seen = ctx;

	(void)vaddr;
	(void)bytes;
	FUZZ_CHECK((const uint8_t *)name >= seen->file &&
			   (const uint8_t *)name + name_bytes < seen->file + seen->size &&
			   !name[name_bytes],
		   "a name outside the file");
	return 0;
}

static void look_at(const uint8_t *file, size_t size)
{
	struct seen seen = { file, size };
	struct symbols symbols = { .n = 0 };
	struct image_range range;
	struct image_mark *marks;
	struct image image;
	uint8_t bytes[32];
	long n;

	if (image_open(&image, file, size))
		return;
	n = image_marks(&image, &marks);
	FUZZ_CHECK(n >= 0 && (size_t)n <= size, "%ld marks", n);
	for (long i = 0; i < n; i++)
		image_read(&image, marks[i].vaddr, bytes, sizeof(bytes));
	free(marks);
	image_functions(&image, each_function, &seen);
	range = image_range(&image);
	for (uint64_t at = range.begin, k = 0; at < range.end && k < 64; at += 997, k++)
		image_read(&image, at, bytes, sizeof(bytes));
	FUZZ_CHECK(!symbols_add_image(&symbols, &image, SPACE_USER), "a refused image");
	symbols_sort(&symbols);
	for (size_t i = 1; i < symbols.n; i++)
		FUZZ_CHECK(symbols.list[i - 1].vaddr < symbols.list[i].vaddr,
			   "symbols are not in order");
	for (size_t i = 0; i < symbols.n; i++)
		symbols_find(&symbols, SPACE_USER, symbols.list[i].vaddr + i % 3);
	symbols_free(&symbols);
}

/* The memory of the PC holds the kernel at its address, and the initramfs. */
static void preload(const uint8_t *file, size_t size)
{
	const struct lab_preload what = {
		.kernel = file,
		.kernel_bytes = size,
		.initramfs = (const uint8_t *)"initramfs",
		.initramfs_bytes = 9,
		.command_line = "quiet x=y",
		.memory_bytes = 64u << 20,
	};
	struct error err = { "" };
	int fd = lab_preload(&what, &err);
	uint32_t setup, at, params;
	struct stat st;
	uint8_t *image;

	if (fd < 0) {
		FUZZ_CHECK(*err.text, "no message");
		return;
	}
	FUZZ_CHECK(!fstat(fd, &st) && st.st_size <= 64 << 20, "%lld bytes",
		   (long long)st.st_size);
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		abort();
	setup = ((file[0x1f1] ? file[0x1f1] : 4u) + 1) * 512;
	at = lab_get_le32(image + PRELOAD_AT_ENTRY) - 0x200 - PRELOAD_BASE;
	FUZZ_CHECK(at + size - setup <= (size_t)st.st_size &&
			   !memcmp(image + at, file + setup, size - setup),
		   "the kernel is not at 0x%x", at);
	params = lab_get_le32(image + PRELOAD_AT_PARAMS) - PRELOAD_BASE;
	at = lab_get_le32(image + params + 0x218) - PRELOAD_BASE;
	FUZZ_CHECK(at + 9 <= (size_t)st.st_size && !memcmp(image + at, "initramfs", 9),
		   "the initramfs is not at 0x%x", at);
	munmap(image, (size_t)st.st_size);
	close(fd);
}

/* A module names the modules that it depends on, which are this file again. */
static void module(const uint8_t *file, size_t size)
{
	static char dir[] = "/dev/shm/fuzz_image.XXXXXX";
	static const char *const names[] = { "a", "b", "kvm" };
	struct lab_modules mods = { .n = 0 };
	struct error err = { "" };
	char path[64];
	FILE *f;

	lab_module_info(file, size, "depends=");
	lab_module_info(file, size, "vermagic=");
	if (!mkdtemp(dir))
		abort();
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s.ko", dir, names[i]);
		f = fopen(path, "we");
		if (!f || (i < 2 && fwrite(file, 1, size, f) != size) || fclose(f))
			abort();
	}
	if (lab_modules_read(dir, "a", &mods, &err))
		FUZZ_CHECK(*err.text, "no message");
	else
		FUZZ_CHECK(mods.n && !strcmp(mods.list[mods.n - 1].name, "a"),
			   "the module is not the last");
	lab_modules_free(&mods);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s.ko", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	const char *what = NULL;

	switch (fuzz_byte(&in) % 5) {
	case 0:
		load(in.at, in.left);
		break;
	case 1:
		look_at(in.at, in.left);
		break;
	case 2:
		preload(in.at, in.left);
		break;
	case 3:
		module(in.at, in.left);
		break;
	default:
		for (int arch = ARCH_X86_64; arch <= ARCH_AARCH64; arch++)
			if (lab_kernel_check((enum arch)arch, in.at, in.left, &what))
				FUZZ_CHECK(what && *what, "no reason");
	}
	return 0;
}
