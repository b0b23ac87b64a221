/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for readers. */
#include "host/lib/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void number_format(char buf[NUMBER_BYTES], double value, bool exact)
{
	char plain[NUMBER_BYTES];
	bool whole = fabs(value - round(value)) < 0.05;
	const char *c = plain;
	size_t digits;

	if (isnan(value) || fabs(value) >= 1e18) {
		snprintf(buf, NUMBER_BYTES, isnan(value) ? "?" : "%.3e", value);
		return;
	}
	snprintf(plain, sizeof(plain), "%.*f",
		 !whole && (exact || fabs(value) < 1000) ? 1 : 0, value);
	if (!strcmp(plain, "-0"))
		c++;
	if (*c == '-')
		*buf++ = *c++;
	digits = strcspn(c, ".");
	for (size_t i = 0; c[i]; i++) {
		if (i && i < digits && (digits - i) % 3 == 0)
			*buf++ = ',';
		*buf++ = c[i];
	}
	*buf = '\0';
}
