/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files with DWARF: which kernel they are of, where their code ran, the functions and
 * lines of an instruction. Input: struct head, struct code for each instruction that ran,
 * then the file. DWARF itself is read by libdw, which is not tested here: the mutator
 * changes what ran, and in the file symbols, names, and what Linux writes about itself.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/explain/symbols.h"
#include "host/tests/fuzz/fuzz.h"

enum { FLAG_AARCH64 = 1, FLAG_IMAGE = 2, FLAG_RELEASE = 4, FLAG_FOLDER = 8 };

struct head {
	uint8_t flags, n;
} __attribute__((packed));

#define CODES_MAX 16

struct code {
	uint8_t function, space, n_bytes, bytes[4];
	uint32_t vaddr, function_vaddr; /* from the first address of the space */
} __attribute__((packed));

/* The functions of the seeds, and one that no file has. */
static const char *const functions[] = { "enter", "leave", "handle", "_start", "absent" };
static const char *const modules[] = { NULL, "kvm", "kvm_amd", "" };
static const uint64_t bases[] = {
	[SPACE_GUEST] = 0x40000000,
	[SPACE_USER] = 0x400000,
	[SPACE_KERNEL] = 0xffffffff81000000,
	[SPACE_HYP] = 0x800000000000,
};

static void check_frames(const struct debuginfo_frame *frames, size_t n)
{
	FUZZ_CHECK(n <= DEBUGINFO_DEPTH_MAX, "%zu frames", n);
	for (size_t i = 0; i < n; i++) {
		const char *file = frames[i].file;

		FUZZ_CHECK(!i || !frames[i].function ||
				   strlen(frames[i].function) < 1 << 20,
			   "a name without an end");
		if (file)
			FUZZ_CHECK(!strstr(file, "//") && !strstr(file, "/./"),
				   "%s is not in its short form", file);
	}
}

static void use(struct debuginfo *d, const char *release, struct debuginfo_code *codes,
		size_t n)
{
	struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX], again[DEBUGINFO_DEPTH_MAX];
	struct error err = { "" };
	int rc = debuginfo_bind(d, release, codes, n, &err);

	FUZZ_CHECK(!rc || (rc == -ENOEXEC && *err.text), "%d: %s", rc, err.text);
	for (size_t i = 0; i < n; i++) {
		size_t found = debuginfo_find(d, &codes[i], frames);

		check_frames(frames, found);
		FUZZ_CHECK(debuginfo_find(d, &codes[i], again) == found,
			   "another number of functions");
		for (size_t k = 0; k < found; k++)
			FUZZ_CHECK(frames[k].line == again[k].line, "another line");
	}
}

static char folder[] = "/dev/shm/fuzz_debuginfo.XXXXXX";
static const char *const files[] = { "/vmlinux", "/kvm.ko", "/kvm-amd.ko.debug" };

static void remove_folder(void)
{
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* A folder with the file as a kernel and as two modules. */
static const char *in_folder(const void *data, size_t size)
{
	static bool made;

	if (!made && (!mkdtemp(folder) || atexit(remove_folder)))
		abort();
	made = true;
	for (size_t i = 0; i < 3; i++) {
		char path[64];
		FILE *f;

		snprintf(path, sizeof(path), "%s%s", folder, files[i]);
		f = fopen(path, "we");
		if (!f || fwrite(data, 1, size, f) != size || fclose(f))
			abort();
	}
	return folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct debuginfo_code codes[CODES_MAX];
	struct code c[CODES_MAX];
	struct error err = { "" };
	struct debuginfo *d;
	struct image image;
	struct head h;

	fuzz_get(&in, &h, sizeof(h));
	for (size_t i = 0; i < h.n % CODES_MAX; i++) {
		enum trace_space space;

		fuzz_get(&in, &c[i], sizeof(c[i]));
		space = c[i].space % (sizeof(bases) / sizeof(bases[0]));
		codes[i] = (struct debuginfo_code){
			.vaddr = bases[space] + c[i].vaddr,
			.bytes = c[i].bytes,
			.n_bytes = c[i].n_bytes % 5,
			.space = space,
			.function_vaddr = bases[space] + c[i].function_vaddr,
			.function = functions[c[i].function % 5],
			.module = modules[c[i].space / 4 % 4],
		};
	}
	d = debuginfo_new(h.flags & FLAG_AARCH64 ? ARCH_AARCH64 : ARCH_X86_64);
	if (h.flags & FLAG_IMAGE) {
		if (!image_open(&image, in.at, in.left))
			debuginfo_add_image(d, &image, SPACE_USER);
	} else if (debuginfo_add(d,
				 h.flags & FLAG_FOLDER ? in_folder(in.at, in.left)
						       : fuzz_file(in.at, in.left),
				 &err)) {
		FUZZ_CHECK(*err.text, "no message");
	}
	use(d, h.flags & FLAG_RELEASE ? "6.1.0-fuzz" : NULL, codes, h.n % CODES_MAX);
	debuginfo_free(d);
	return 0;
}

/* ---- the mutator ------------------------------------------------------------------- */

/* A section that this program reads, or whose strings it gets from libdw. */
static bool is_ours(const char *name)
{
	static const char *const names[] = { ".modinfo", ".rodata",    ".strtab",
					     ".symtab",	 ".debug_str", ".debug_line_str",
					     ".text",	 ".shstrtab" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* A random section that is ours. False: the file has none. */
static bool choose_section(const uint8_t *file, size_t size, uint32_t *state,
			   Elf64_Shdr *chosen)
{
	Elf64_Shdr names, sh;
	Elf64_Ehdr eh;
	size_t seen = 0;

	if (size < sizeof(eh))
		return false;
	memcpy(&eh, file, sizeof(eh));
	if (eh.e_shoff > size || eh.e_shstrndx >= eh.e_shnum ||
	    (size - eh.e_shoff) / sizeof(sh) < eh.e_shnum)
		return false;
	memcpy(&names, file + eh.e_shoff + eh.e_shstrndx * sizeof(sh), sizeof(sh));
	for (size_t i = 0; i < eh.e_shnum; i++) {
		uint64_t at;

		memcpy(&sh, file + eh.e_shoff + i * sizeof(sh), sizeof(sh));
		at = names.sh_offset + sh.sh_name;
		if (names.sh_offset > size || at >= size ||
		    !memchr(file + at, 0, size - at) ||
		    !is_ours((const char *)file + at) || !sh.sh_size ||
		    sh.sh_offset > size || sh.sh_size > size - sh.sh_offset)
			continue;
		if (fuzz_random(state) % ++seen == 0)
			*chosen = sh;
	}
	return seen;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	static const char *const words[] = {
		"..",	      "/../",		"/./",	 "//", "/", "name=", "vermagic=",
		"6.1.0-fuzz", "Linux version ", "enter", ""
	};
	const size_t codes = sizeof(struct head) +
			     (size > 1 ? data[1] % CODES_MAX * sizeof(struct code) : 0);
	uint32_t state = seed + 1;
	uint8_t prefix[sizeof(struct head) + CODES_MAX * sizeof(struct code)];
	Elf64_Shdr sh;

	(void)room;
	if (size <= codes)
		return size;
	if (fuzz_random(&state) % 2 ||
	    !choose_section(data + codes, size - codes, &state, &sh)) {
		/* What ran; their number stays, so that the file stays where it is. */
		memcpy(prefix, data, codes);
		LLVMFuzzerMutate(prefix, codes, codes);
		prefix[1] = data[1];
		memcpy(data, prefix, codes);
		return size;
	}
	for (uint32_t i = 1 + fuzz_random(&state) % 4; i; i--) {
		const char *word = words[fuzz_random(&state) % 11];
		uint64_t at = fuzz_random(&state) % sh.sh_size;
		uint8_t *to = data + codes + sh.sh_offset + at;

		if (fuzz_random(&state) % 2)
			*to ^= (uint8_t)(1u << fuzz_random(&state) % 8);
		else if (strlen(word) + 1 < sh.sh_size - at)
			memcpy(to, word, strlen(word) + fuzz_random(&state) % 2);
	}
	return size;
}
