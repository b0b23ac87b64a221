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

/*
 * The bytes of the character at `s`, which is not the end. Sets *unsafe to the code of
 * what a terminal or a page must not get: a control character (C0, C1, line breaks too),
 * a bidirectional control, or a byte that is not UTF-8; otherwise to TEXT_SAFE.
 */
#define TEXT_SAFE (~0u)
size_t text_char(const char *s, unsigned int *unsafe);

/*
 * Text of a guest, a kernel or a document, on one line: line breaks and tabs are blanks,
 * other unsafe characters are written as \x1b or \u202e. In place, cut to `room` bytes.
 */
void text_clean(char *text, size_t room);
/* text_clean() of any length. free() it. */
char *text_cleaned(const char *text);
/* text_cleaned() of allocated text, which is freed. */
char *text_cleaned_own(char *text);
/* Prints by text_clean(), so without a line break. The number of bytes. */
int text_print(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The width of UTF-8 text; wide and combining characters do not occur in tables. */
size_t text_width(const char *s);

/*
 * Prints `text` and a newline, broken between words so that lines end before column
 * `columns`. The first line begins at column `at` (the position of the cursor), the
 * others are indented by `indent`. By text_clean().
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

/*
 * A change in percent with its sign and unit: "+6.3 %". At least `decimals` places, and
 * as many as a small change needs, nine at most, so that a change that is not 0 does not
 * read so: "-0.03 %".
 */
void percent_format(char buf[NUMBER_BYTES], double percent, int decimals);

/* Compares two versions without epochs as dpkg does: negative, 0 or positive. */
int version_compare(const char *a, const char *b);

#endif
