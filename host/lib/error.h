/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error of the host program: one line that says what failed, where, and why. */
#ifndef WS_LIB_ERROR_H
#define WS_LIB_ERROR_H

/*
 * A function that can fail returns 0 or a negative errno and sets the text once, at the
 * level that knows the object.
 */
struct error {
	char text[512];
};

/*
 * Formats the text, truncated to its size, with control characters replaced: it may
 * quote a guest or a file. Returns `code`. The arguments may point into
 * `err`.
 */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
