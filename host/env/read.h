/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small files of /proc and /sys. `root` goes before every path: "" on the machine
 * itself, a folder with a likeness of /proc and /sys in tests.
 */
#ifndef WS_ENV_READ_H
#define WS_ENV_READ_H

#include <stdbool.h>
#include <stddef.h>

/* The first line without its newline. False where it cannot be read. */
bool env_read_line(const char *root, const char *path, char *buf, size_t bytes);

/*
 * The value of the first "key : value" line of `path`, as in /proc/cpuinfo. False
 * where there is none.
 */
bool env_read_key(const char *root, const char *path, const char *key, char *buf,
		  size_t bytes);

/* Whether `word` is one of the words of `text`, which blanks part. */
bool env_has_word(const char *text, const char *word);

/* Whether this machine is itself a guest: 1, 0, or -1 where nothing tells. */
int env_is_guest(const char *root);

#endif
