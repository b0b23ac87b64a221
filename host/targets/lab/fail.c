/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error messages of the lab. */
#include <stdarg.h>
#include <stdio.h>

#include "host/targets/lab/fail.h"

void lab_printable(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}
