/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache of kernels and emulators, whose files another user or a torn disk may have
 * changed. The input is a folder of a kernel and the record of an emulator: names, the
 * record of checksums, true or not, and what else is read there. Without the scripts,
 * which compare checksums and download, sizes and times decide.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/file.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/kernel.h"
#include "host/tests/fuzz/fuzz.h"

enum {
	FLAG_TRUE = 1,	  /* the record is that of the files; the input's text follows */
	FLAG_END = 2,	  /* and is complete */
	FLAG_TIMES = 4,	  /* with other times */
	FLAG_CHECKED = 8, /* compared since the machine was started */
	FLAG_FETCH = 16,
	FLAG_NO_RECORD = 32,
	FLAG_QEMU = 64,
	FLAG_EMULATOR = 128,
};

/* In memory. */
static char top[] = "/dev/shm/fuzz_cache.XXXXXX";
#define KERNELS	  "kernels/x86_64"
#define EMULATORS "emulators"
#define BOCHS	  "bochs-0123456789ab"

/* In place of process_find_script(), by the linker. */
int __wrap_process_find_script(const char *name, char path[PATH_MAX]);
int __wrap_process_find_script(const char *name, char path[PATH_MAX])
{
	(void)name;
	path[0] = '\0';
	return -ENOENT;
}

#define QEMU	     EMULATORS "/qemu-10.0.2"
#define QEMU_PROGRAM "qemu-system-x86_64"
static const char *const qemu_folders[] = { QEMU, QEMU "/bin", QEMU "/root",
					    QEMU "/root/usr", QEMU "/root/usr/bin" };

static void remove_top(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", top);
}

static void in_top(char path[PATH_MAX], const char *folder, const char *name)
{
	if (!lab_path(path, "%s/%s%s%s", top, folder, *name ? "/" : "", name))
		abort();
}

static void make_folder(const char *folder)
{
	char path[PATH_MAX];

	in_top(path, folder, "");
	if (mkdir(path, 0700) && errno != EEXIST)
		abort();
}

static void put(const char *folder, const char *name, const void *data, size_t bytes)
{
	char path[PATH_MAX];
	FILE *f;

	in_top(path, folder, name);
	f = fopen(path, "we");
	if (!f || (bytes && fwrite(data, 1, bytes, f) != bytes) || fclose(f))
		abort();
}

/* A part of the input, whose first byte is its length. */
struct part {
	char text[256];
	size_t bytes;
};

static struct part get_part(struct fuzz_input *in)
{
	struct part p = { .bytes = fuzz_byte(in) };

	if (p.bytes > in->left)
		p.bytes = in->left;
	fuzz_get(in, p.text, p.bytes);
	p.text[p.bytes] = '\0';
	return p;
}

/* A name that a folder can have. */
static void make_name(struct part *p)
{
	p->text[63] = '\0';
	for (char *c = p->text; *c; c++)
		if (*c == '/')
			*c = '_';
	if (!*p->text || !strcmp(p->text, ".") || !strcmp(p->text, ".."))
		strcpy(p->text, "6.1.0-9-cloud-amd64");
	p->bytes = strlen(p->text);
}

/* The record of scripts/sums.sh for one file, as the flags want it; then `more`. */
static size_t make_record(unsigned int flags, const char *folder, const char *file,
			  const struct part *more, char *text, size_t room)
{
	char path[PATH_MAX];
	struct stat st;
	size_t n = 0;

	in_top(path, folder, file);
	if (stat(path, &st))
		abort();
	if (flags & FLAG_TRUE)
		n += (size_t)snprintf(text, room, "%064d %lld %lld.%09ld %s\n", 0,
				      (long long)st.st_size, (long long)st.st_mtim.tv_sec,
				      flags & FLAG_TIMES ? 1 : st.st_mtim.tv_nsec, file);
	memcpy(text + n, more->text, more->bytes);
	n += more->bytes;
	if (flags & FLAG_END)
		n += (size_t)snprintf(text + n, room - n, "%send\n",
				      more->bytes ? "\n" : "");
	return n;
}

static void put_checked(unsigned int flags, const char *folder, const char *name,
			const struct part *text)
{
	static char *boot;
	static long bytes;

	if (!boot)
		bytes = file_read("/proc/sys/kernel/random/boot_id", 64, &boot);
	if (flags & FLAG_CHECKED && bytes > 0)
		put(folder, name, boot, (size_t)bytes);
	else
		put(folder, name, text->text, text->bytes);
}

/* What no record may be taken for. */
static void check_record(unsigned int flags, const char *folder, const char *record,
			 const char *checked, const char *text, size_t bytes,
			 const struct part *more)
{
	char path[PATH_MAX];
	enum lab_files files;

	in_top(path, folder, "");
	files = lab_files_check(path, record, checked);
	if (files != LAB_FILES_DAMAGED)
		FUZZ_CHECK(memmem(text, bytes, "\nend", 4),
			   "a record without an end is accepted: %.*s", (int)bytes, text);
	if (flags & FLAG_TRUE && flags & FLAG_END && !more->bytes) {
		FUZZ_CHECK(files != LAB_FILES_DAMAGED, "a true record is refused");
		FUZZ_CHECK(files == LAB_FILES_TOUCHED || !(flags & FLAG_TIMES),
			   "another time is not seen");
		FUZZ_CHECK(files == LAB_FILES_RECORDED || flags & FLAG_TIMES ||
				   !(flags & FLAG_CHECKED),
			   "a file that was compared is not trusted");
	}
	if (flags & FLAG_TRUE && !(flags & FLAG_END) && !more->bytes)
		FUZZ_CHECK(files == LAB_FILES_DAMAGED, "half a record is accepted");
}

static void kernel(unsigned int flags, struct fuzz_input *in)
{
	struct part name = get_part(in), record = get_part(in), package = get_part(in);
	struct part checked = get_part(in), wanted = get_part(in);
	char folder[300], path[PATH_MAX], text[1024];
	const enum job_fetch fetch =
		flags & FLAG_FETCH ? JOB_FETCH_QUIETLY : JOB_FETCH_NEVER;
	struct lab_package found;
	struct error err = { "" };
	size_t bytes;
	int rc;

	make_name(&name);
	snprintf(folder, sizeof(folder), KERNELS "/%s", name.text);
	make_folder(folder);
	put(folder, "vmlinuz", "kernel", 6);
	put(folder, "package", package.text, package.bytes);
	put_checked(flags, folder, "checked", &checked);
	bytes = make_record(flags, folder, "vmlinuz", &record, text, sizeof(text));
	if (!(flags & FLAG_NO_RECORD)) {
		put(folder, "sums", text, bytes);
		check_record(flags, folder, "sums", "checked", text, bytes, &record);
	}
	in_top(path, folder, "vmlinuz");
	rc = lab_cache_verify(ARCH_X86_64, path, fetch, &found, &err);
	FUZZ_CHECK(!rc || rc == -ENETUNREACH || (rc == -EBADMSG && *err.text), "%d", rc);
	FUZZ_CHECK(memchr(found.version, 0, sizeof(found.version)) &&
			   memchr(found.suite, 0, sizeof(found.suite)),
		   "a package without an end");
	rc = lab_cache_find(ARCH_X86_64, wanted.bytes ? wanted.text : NULL, fetch, path,
			    &err);
	FUZZ_CHECK(rc <= 0, "%d", rc);
	if (!rc)
		FUZZ_CHECK(!strncmp(path, top, strlen(top)), "%s is not in the cache",
			   path);
	for (size_t i = 0; i < 4; i++) {
		static const char *const files[] = { "vmlinuz", "package", "checked",
						     "sums" };

		in_top(path, folder, files[i]);
		unlink(path);
	}
	in_top(path, folder, "");
	if (rmdir(path))
		abort();
}

/* A QEMU of the distribution: a folder with the record, the package, and a script for
 * each program. */
static void qemu(unsigned int flags, struct fuzz_input *in)
{
	static const char program[] = "#!/bin/sh\n";
	struct part record = get_part(in), checked = get_part(in), package = get_part(in);
	char path[PATH_MAX], text[1024];
	struct error err = { "" };
	size_t bytes;
	int rc;

	for (size_t i = 0; i < sizeof(qemu_folders) / sizeof(qemu_folders[0]); i++)
		make_folder(qemu_folders[i]);
	put(QEMU "/bin", QEMU_PROGRAM, program, sizeof(program) - 1);
	put(QEMU "/root/usr/bin", QEMU_PROGRAM, program, sizeof(program) - 1);
	put(QEMU, "package", package.text, package.bytes);
	put_checked(flags, QEMU, "checked", &checked);
	bytes = make_record(flags, QEMU, "bin/" QEMU_PROGRAM, &record, text,
			    sizeof(text));
	put(QEMU, "sums", text, bytes);
	check_record(flags, QEMU, "sums", "checked", text, bytes, &record);
	in_top(path, QEMU "/bin", QEMU_PROGRAM);
	rc = lab_emulator_verify(path, flags & FLAG_FETCH, &err);
	FUZZ_CHECK(!rc || (rc == -EBADMSG && strlen(err.text) > 9), "%d: %s", rc,
		   err.text);
}

static void emulator(unsigned int flags, struct fuzz_input *in)
{
	struct part record = get_part(in), checked = get_part(in);
	char path[PATH_MAX], text[1024];
	struct error err = { "" };
	size_t bytes;
	int rc;

	put(EMULATORS, BOCHS, "#!/bin/sh\n", 10);
	put_checked(flags, EMULATORS, BOCHS ".checked", &checked);
	bytes = make_record(flags, EMULATORS, BOCHS, &record, text, sizeof(text));
	put(EMULATORS, BOCHS ".sums", text, bytes);
	check_record(flags, EMULATORS, BOCHS ".sums", BOCHS ".checked", text, bytes,
		     &record);
	in_top(path, EMULATORS, BOCHS);
	rc = lab_emulator_verify(path, flags & FLAG_FETCH, &err);
	FUZZ_CHECK(!rc || (rc == -EBADMSG && *err.text), "%d: %s", rc, err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	struct fuzz_input in = { data, size };
	unsigned int flags;

	if (!made) {
		if (!mkdtemp(top) || setenv("WORLDSWITCH_CACHE", top, 1) ||
		    unsetenv("WORLDSWITCH_EMULATORS"))
			abort();
		atexit(remove_top);
		make_folder("kernels");
		make_folder(KERNELS);
		make_folder(EMULATORS);
		made = true;
	}
	flags = fuzz_byte(&in);
	if (flags & FLAG_EMULATOR)
		(flags & FLAG_QEMU ? qemu : emulator)(flags, &in);
	else
		kernel(flags, &in);
	return 0;
}
