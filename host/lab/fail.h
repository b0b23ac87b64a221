/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How everything in lab/ says what went wrong. */
#ifndef WS_LAB_FAIL_H
#define WS_LAB_FAIL_H

#include "host/target/target.h"

/* Sets the message, cut to its room, and returns `code`, a negative errno. */
int lab_fail(struct target_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes text from inside the machine fit to be shown: no control characters. */
void lab_printable(char *text);

#endif
