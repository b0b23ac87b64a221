/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulators that exist on this machine: the system's QEMU, the folders of QEMU that
 * emulator.sh has fetched, the project's Bochs, and a distribution's.
 */
#ifndef WS_TARGETS_LAB_EMULATORS_H
#define WS_TARGETS_LAB_EMULATORS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"

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
 * The version of QEMU's plugin interface for the plugins of this program, by the text
 * that QEMU prints for --version. 0: unknown version.
 */
unsigned int lab_qemu_plugin_api(const char *version);

#endif
