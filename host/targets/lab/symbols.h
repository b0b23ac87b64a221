/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel's functions, as its /proc/kallsyms tells them to root. */
#ifndef WS_LAB_SYMBOLS_H
#define WS_LAB_SYMBOLS_H

#include <stddef.h>

/*
 * The lines of `path` that are about code (types t, T, w, W), in memory the caller
 * frees. 0 or a negative errno.
 */
int lab_symbols_read(const char *path, char **text, size_t *bytes);

#endif
