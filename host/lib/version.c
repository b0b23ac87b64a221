/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of versions of Debian packages. */
#include "host/lib/version.h"

#include <ctype.h>
#include <stdlib.h>

/* deb-version(7): "~" sorts before the end, the end before letters, letters before
 * others. */
static int order(char c)
{
	if (c == '~')
		return -1;
	if (!c || isdigit((unsigned char)c))
		return 0;
	return isalpha((unsigned char)c) ? (unsigned char)c : (unsigned char)c + 256;
}

int version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		while ((*a && !isdigit((unsigned char)*a)) ||
		       (*b && !isdigit((unsigned char)*b))) {
			int by = order(*a) - order(*b);

			if (by)
				return by;
			a++;
			b++;
		}
		unsigned long x = strtoul(a, (char **)&a, 10);
		unsigned long y = strtoul(b, (char **)&b, 10);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}
