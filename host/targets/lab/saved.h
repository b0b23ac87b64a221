/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base machines on disk, so that the next run of the same lab needs no boot; and the
 * symbols of their kernels, so that the next `explain` needs not wait for them.
 *
 * A file below `machines` in the cache holds the snapshot of a base machine (session.h),
 * and after it everything that the machine depends on, as text: the emulator, the
 * machine's options, the command line, the kernel and the initramfs by size and checksum,
 * and the state of the host's packages (firmware). A file whose text differs is another
 * machine. The oldest files are removed when there are more than LAB_SAVED_MAX.
 *
 * The cache only saves time: a failure to read or write it is not an error.
 * $WORLDSWITCH_FRESH_MACHINES=1 turns it off.
 */
#ifndef WS_TARGETS_LAB_SAVED_H
#define WS_TARGETS_LAB_SAVED_H

#include "host/targets/lab/emulator.h"

#define LAB_SAVED_MAX 12

struct lab_saved {
	char path[PATH_MAX]; /* empty: not to be saved */
	char *key;	     /* the text; the struct's own */
};

/* What `boot` on `m` depends on. lab_saved_free() in any case. */
void lab_saved_init(struct lab_saved *s, const struct lab_machine *m,
		    const struct lab_boot *boot);
void lab_saved_free(struct lab_saved *s);

/* The snapshot, open, the caller's; -1: there is none. */
int lab_saved_load(const struct lab_saved *s);

/* Removes it: no job could run on it. */
void lab_saved_drop(const struct lab_saved *s);

/*
 * Saves a snapshot that a clone has run from, unless the kernel or another file that the
 * machine depends on was replaced since lab_saved_init().
 */
void lab_saved_store(const struct lab_saved *s, const struct lab_machine *m,
		     const struct lab_boot *boot, int snapshot);

/*
 * The symbols that a job under `config` sent from such a machine: an allocated string of
 * `*bytes`, or NULL.
 */
char *lab_symbols_load(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, size_t *bytes);
void lab_symbols_store(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, const char *text, size_t bytes);

#endif
