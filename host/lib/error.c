/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error of the host program, and messages to the user, one line each. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/text.h"

int error_set(struct error *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_clean(text, sizeof(text));
	strcpy(err->text, text);
	return code;
}

#define MESSAGE_MAX 2048

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"
#define WIPE   "\r\033[K"

bool message_terminal(FILE *f)
{
	const char *term = getenv("TERM");

	return isatty(fileno(f)) && term && *term && strcmp(term, "dumb");
}

bool message_color(FILE *f)
{
	const char *no = getenv("NO_COLOR"); /* no-color.org: set and not empty */

	return (!no || !*no) && message_terminal(f);
}

/* One write per line, so that lines of several processes do not mix. */
static void print(const char *who, const char *kind, const char *color, const char *fmt,
		  va_list ap)
{
	char text[MESSAGE_MAX];
	bool colored;
	size_t len;

	/* First, because %m is the errno of the caller. */
	vsnprintf(text, sizeof(text), fmt, ap);
	len = strlen(text);
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	text_clean(text, sizeof(text));
	colored = *color && message_color(stderr);
	fprintf(stderr, "%s%s: %s%s%s%s\n", message_terminal(stderr) ? WIPE : "", who,
		colored ? color : "", kind, colored ? PLAIN : "", text);
	fflush(stderr);
}

void message_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print("wsbench", "error: ", RED, fmt, ap);
	va_end(ap);
}

void message_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print("wsbench", "warning: ", YELLOW, fmt, ap);
	va_end(ap);
}

void message_info(bool quiet, const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	print("wsbench", "", "", fmt, ap);
	va_end(ap);
}

void message_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(command, "", "", fmt, ap);
	va_end(ap);
}
