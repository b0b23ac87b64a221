/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line that says what was wrong with a document or a file. */
#ifndef WS_RESULT_ERROR_H
#define WS_RESULT_ERROR_H

struct result_error;

/*
 * Sets the line, cut to fit, control characters replaced. Returns `code`. The
 * arguments may not point into `err`.
 */
int error_set(struct result_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
