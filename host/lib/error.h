/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error of the host program, one line that says what failed, where, and why; and
 * messages to the user: one line each, to stderr, beginning "wsbench: ". On a terminal a
 * message first clears the line that a progress display may have left. Control characters
 * in the text, which may come from a guest or a file, are escaped: text_clean().
 */
#ifndef WS_LIB_ERROR_H
#define WS_LIB_ERROR_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A function that can fail returns 0 or a negative errno and sets the text once, at the
 * level that knows the object.
 */
struct error {
	char text[512];
};

/*
 * Formats the text, truncated to its size, by text_clean(): it may quote a guest or a
 * file. Returns `code`. The arguments may point into
 * `err`.
 */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Not affected by --quiet: these concern the trust in the result. */
void message_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void message_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Silent under --quiet. */
void message_info(bool quiet, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A usage error, which begins "COMMAND: ". */
void message_usage(const char *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether `f` gets colour: a terminal with colours, and NO_COLOR is not set. */
bool message_color(FILE *f);

/* Whether `f` is a terminal that can redraw a line. */
bool message_terminal(FILE *f);

#endif
