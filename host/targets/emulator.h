/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about an installed emulator. */
#ifndef WS_TARGET_EMULATOR_H
#define WS_TARGET_EMULATOR_H

#include <stddef.h>

/* -ENOENT unless `program` is in PATH and executable. */
int emulator_find(const char *program);

/* The line of what `program option` writes that names an emulator, else its first
 * line; "" if there is none. At most `bytes` of its output are looked at. */
void emulator_version(const char *program, const char *option, char *text, size_t bytes);

#endif
