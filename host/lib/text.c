/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in columns: widths and wrapping. */
#include "host/lib/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"

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
