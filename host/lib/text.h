/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in columns: widths and wrapping. */
#ifndef WS_LIB_TEXT_H
#define WS_LIB_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* The width of UTF-8 text; wide and combining characters do not occur in tables. */
size_t text_width(const char *s);

/*
 * Prints `text` and a newline, broken between words so that lines end before column
 * `columns`. The first line begins at column `at` (the position of the cursor), the
 * others are indented by `indent`. Control characters are replaced.
 */
void text_wrap(FILE *f, const char *text, size_t at, size_t indent, size_t columns);

/* The bytes of a prefix of `s`, at most `most`, that ends with a whole character. */
int text_prefix(const char *s, size_t most);

#endif
