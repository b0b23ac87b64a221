/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about an installed emulator. */
#ifndef WS_TARGET_EMULATOR_H
#define WS_TARGET_EMULATOR_H

#include <stddef.h>

/* -ENOENT unless `program` is in PATH and executable. */
int emulator_find(const char *program);

/* The first line of `program --version`, or "" if it cannot be had. */
void emulator_version(const char *program, char *text, size_t bytes);

#endif
