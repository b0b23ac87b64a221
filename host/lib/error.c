/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error of the host program. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/lib/error.h"

int error_set(struct error *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	strcpy(err->text, text);
	return code;
}
