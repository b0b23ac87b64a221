/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line that says what was wrong with a document or a file. */
#include "host/result/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "host/result/result.h"

int error_set(struct result_error *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	for (char *c = err->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return code;
}
