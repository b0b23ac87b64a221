/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for readers: widths and wrapping, numbers, and the order of the versions of Debian
 * packages.
 */
#ifndef WS_LIB_TEXT_H
#define WS_LIB_TEXT_H

#include <stdbool.h>
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

/* The size of any number that number_format() writes. */
#define NUMBER_BYTES 40

/*
 * Thousands are separated by commas; no decimals if the value is whole, otherwise one
 * if it is below 1,000 or `exact`. NAN: "?".
 */
void number_format(char buf[NUMBER_BYTES], double value, bool exact);

/* Compares two versions without epochs as dpkg does: negative, 0 or positive. */
int version_compare(const char *a, const char *b);

#endif
