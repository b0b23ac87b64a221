/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error messages of the lab. */
#include <stdarg.h>
#include <stdio.h>

#include "host/lab/fail.h"

int lab_fail(struct target_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

void lab_printable(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}
