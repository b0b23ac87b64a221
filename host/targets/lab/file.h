/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a lab finds on this machine: whole files in memory, the search paths, and the
 * emulators: the system's QEMU, the folders of QEMU that emulator.sh has fetched, the
 * project's Bochs, and a distribution's; and whether those files are intact.
 */
#ifndef WS_TARGETS_LAB_FILE_H
#define WS_TARGETS_LAB_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/targets/target.h"

#define LAB_FILE_MAX (512u << 20)

/*
 * Reads a regular file into memory the caller frees. 0 or a negative errno with
 * `err` naming the path and, as `what`, what the file is for.
 */
int lab_file_read(const char *path, const char *what, uint8_t **data, size_t *bytes,
		  struct error *err);

/* The same in two steps: a descriptor, or a negative errno; its content. */
int lab_file_open(const char *path, const char *what, size_t *bytes, struct error *err);
int lab_file_content(int fd, uint8_t **data, size_t bytes);

/* A part of a file: of memory, else what the file `fd` has from its beginning, else
 * zeros. */
struct lab_part {
	const void *data;
	int fd; /* -1: none */
	size_t bytes;
};

/* An unnamed file with this content, to be read from its beginning: its descriptor,
 * or a negative errno. `name` shows in /proc. */
int lab_memory_file(const char *name, const void *data, size_t bytes);
int lab_memory_file_of(const char *name, const struct lab_part *parts, size_t n);

/* Nothing changes the content of an unnamed file from here on. 0 or a negative errno. */
int lab_seal(int fd);

/*
 * The static program of `arch` that runs inside the machine (host/agent):
 * $WORLDSWITCH_LIBEXEC/ARCH/init, else ARCH/init beside this program, else
 * ../libexec/worldswitch/ARCH/init from there. 0 or -ENOENT.
 */
int lab_find_program(enum arch arch, char path[PATH_MAX], struct error *err);

/* The library of bochs/fork_server.c; the same places. 0 or -ENOENT. */
int lab_find_clone_library(char path[PATH_MAX], struct error *err);

/*
 * The folder of the kernels of `arch`: kernels/ARCH below $WORLDSWITCH_CACHE, else below
 * worldswitch in the user's cache folder, as cache_dir() of scripts/places.sh has it.
 */
void lab_kernel_cache(enum arch arch, char path[PATH_MAX]);

/* The folder of named baselines, in the same cache. */
void lab_baselines_folder(char path[PATH_MAX]);

/* The folder of emulator.sh: $WORLDSWITCH_EMULATORS, else emulators below the same cache.
 */
void lab_emulators_folder(char path[PATH_MAX]);

/* An emulator that emulator.sh has built: `file` in its folder. False: it is not there.
 */
bool lab_find_emulator(const char *file, char path[PATH_MAX]);

/* snprintf into a path: false if it did not fit, and the path is then empty. */
bool lab_path(char path[PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define LAB_EMULATOR_LABS_MAX 16

struct lab_emulator_entry {
	char name[NAME_MAX + 1]; /* for --emulator; of Bochs, for the reader */
	char version[192];
	char path[PATH_MAX]; /* a folder of QEMU's programs, or Bochs' program */
	const char *labs[LAB_EMULATOR_LABS_MAX]; /* names of targets, static */
	size_t n_labs;
	bool is_default; /* the labs use it unless --emulator is given */
};

/* Calls `row` for each emulator. */
void lab_emulators(void (*row)(void *ctx, const struct lab_emulator_entry *e), void *ctx);

/*
 * The path of `program`, such as "qemu-system-aarch64", of the QEMU that `name` means: a
 * version, in full or in part, of a fetched QEMU or of the system's; "system"; a folder
 * with the program, or with bin/ that has it; or the program itself. 0, or -ENOEXEC with
 * `err`, which names the emulators that exist.
 */
int lab_qemu_select(const char *name, const char *program, char path[PATH_MAX],
		    struct error *err);

/*
 * The path of `program` of a QEMU with at least this major version: the system's, else
 * the newest fetched one. 0 or -ENOENT.
 */
int lab_qemu_newer(unsigned int major, const char *program, char path[PATH_MAX]);

/* The major version of the QEMU program at `path`; 0: unknown. */
unsigned int lab_qemu_major(const char *path);

/*
 * The version of QEMU's plugin interface for the plugins of this program, by the text
 * that QEMU prints for --version. 0: unknown version.
 */
unsigned int lab_qemu_plugin_api(const char *version);

/* ------------------------------ checksums ------------------------------ */

/* Whether files of the cache are intact: the records that scripts/sums.sh makes. */

enum lab_files {
	LAB_FILES_RECORDED,
	LAB_FILES_TOUCHED, /* only the checksums can tell */
	LAB_FILES_DAMAGED,
};

/*
 * The files of a record in `folder`, as far as size and time show it. A copy of a cache
 * is touched: it can have other times. So is what has not been compared with its
 * checksums since this machine was started, by the file `checked`: a power failure leaves
 * sizes and times of contents that were not written, and a disk may lose some.
 */
enum lab_files lab_files_check(const char *folder, const char *record,
			       const char *checked);

/*
 * Whether an emulator is intact: any, by its ELF header and size; one of the folder of
 * emulator.sh, by its record, too. The script compares the checksums once after each
 * start of the machine, or if `compare`. 0; -EBADMSG: damaged, with the command that
 * replaces it; -EINTR.
 */
int lab_emulator_verify(const char *program, bool compare, struct error *err);

#endif
