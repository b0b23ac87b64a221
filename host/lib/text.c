/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for readers: widths, wrapping, numbers, the order of versions. */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/text.h"

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80; /* not a continuation byte */
	return n;
}

void text_wrap(FILE *f, const char *text, size_t at, size_t indent, size_t columns)
{
	char *copy = strdup(text), *rest = copy, *word;
	bool first = true;

	if (!copy)
		abort();
	message_clean(copy);
	while ((word = strsep(&rest, " "))) {
		size_t w = text_width(word);

		if (!w)
			continue;
		if (!first && at + 1 + w >= columns) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', f);
			at++;
		}
		fputs(word, f);
		at += w;
		first = false;
	}
	fputc('\n', f);
	free(copy);
}

int text_prefix(const char *s, size_t most)
{
	size_t n = strlen(s);

	if (n <= most)
		return (int)n;
	for (n = most; n && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return (int)n;
}

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
