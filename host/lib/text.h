/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text laid out in columns: padding and wrapping. */
#ifndef WS_CLI_TEXT_H
#define WS_CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Columns that UTF-8 text takes; no wide or combining characters in our tables. */
size_t text_width(const char *s);

/* Prints `s` in `width` columns, flush right or left. Longer text is not cut. */
void text_right(FILE *f, const char *s, size_t width);
void text_left(FILE *f, const char *s, size_t width);

/*
 * Prints `text` and a newline, broken between words so that it ends before column
 * `columns`, the first line beginning at column `at` (where the cursor is), the
 * others indented by `indent`. Control characters are replaced.
 */
void text_wrap(FILE *f, const char *text, size_t at, size_t indent, size_t columns);

#endif
