/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine: files of /proc and /sys, and the fingerprint of what makes figures
 * comparable. `root` is a prefix of all paths: "", or in tests a folder with files like
 * those of /proc and /sys.
 */
#ifndef WS_ENV_MACHINE_H
#define WS_ENV_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

struct result;

/* The first line of a file without its newline. False: cannot be read. */
bool env_read_line(const char *root, const char *path, char *buf, size_t bytes);

/* The value of the first "key : value" line, as in /proc/cpuinfo. False: not found. */
bool env_read_key(const char *root, const char *path, const char *key, char *buf,
		  size_t bytes);

/* Whether a text of words separated by blanks contains a word. */
bool env_has_word(const char *text, const char *word);

/* Whether this machine is a guest: 1, 0, or -1 if unknown. */
int env_is_guest(const char *root);

/*
 * Fills in r->machine (except `pinned`) for this machine. The fingerprint is 16 hex
 * digits of FNV-1a 64 over the architecture, the CPU model, the microcode, the number of
 * CPUs, and whether this is a guest. The kernel is not part of it: kernels are compared.
 */
void env_machine(struct result *r);

/* Adds a text, such as the version of an emulator, to the fingerprint. */
void env_fingerprint_mix(struct result *r, const char *what);

#endif
