/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to the user: one line each, to stderr, beginning "wsbench: ".
 *
 * On a terminal a message first wipes the line that a progress display may have
 * left there. Control characters in the text, which may come from a guest or a
 * file, are replaced: a message cannot steer the terminal.
 */
#ifndef WS_CLI_MESSAGE_H
#define WS_CLI_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>

/* Never silenced: what they say bears on whether the result can be trusted. */
void message_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void message_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Silent under --quiet. */
void message_info(bool quiet, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An error that begins "COMMAND: " instead, for usage errors. */
void message_usage(const char *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether `f` should get colour: a terminal that knows it, and no NO_COLOR. */
bool message_color(FILE *f);

/* Whether `f` is a terminal on which a line can be wiped and drawn again. */
bool message_terminal(FILE *f);

/* Replaces control characters in place by '?', and line breaks by blanks. */
void message_clean(char *text);

#endif
