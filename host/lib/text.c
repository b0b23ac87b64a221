/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for readers: widths, wrapping, numbers, the order of versions. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/text.h"

/* The length of the UTF-8 sequence at `s`, and its code; 0: not UTF-8. */
static size_t decode(const char *s, unsigned int *code)
{
	unsigned char lead = (unsigned char)*s;
	size_t n = lead < 0x80	 ? 1
		   : lead < 0xc2 ? 0
		   : lead < 0xe0 ? 2
		   : lead < 0xf0 ? 3
				 : 4;

	*code = lead;
	if (n <= 1 || lead > 0xf4)
		return n == 1;
	*code = lead & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80) {
			*code = lead;
			return 0;
		}
		*code = *code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	return n;
}

/* Marks, embeddings, overrides and isolates; line and paragraph separators. */
static bool is_bidi(unsigned int code)
{
	return code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

size_t text_char(const char *s, unsigned int *unsafe)
{
	unsigned int code;
	size_t n = decode(s, &code);
	bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);

	*unsafe = !n || control || is_bidi(code) ? code : TEXT_SAFE;
	return n ? n : 1;
}

/* Whether a cut to a number of bytes left a part of a character at the end. */
static bool is_cut(const char *s)
{
	bool lead = (unsigned char)*s >= 0xc2;

	do
		s++;
	while (((unsigned char)*s & 0xc0) == 0x80);
	return lead && !*s;
}

char *text_cleaned(const char *text)
{
	/* \x1b for a byte, \u202e for three: at most four times as long. */
	char *clean = malloc(4 * strlen(text) + 1), *out = clean;
	unsigned int code;

	if (!clean)
		abort();
	while (*text) {
		size_t n = text_char(text, &code);

		if (code == TEXT_SAFE)
			out = mempcpy(out, text, n);
		else if (n == 1 && is_cut(text))
			break;
		else if (*text == '\n' || *text == '\t')
			*out++ = ' ';
		else
			out += sprintf(out, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
		text += n;
	}
	*out = '\0';
	return clean;
}

char *text_cleaned_own(char *text)
{
	char *clean = text_cleaned(text);

	free(text);
	return clean;
}

int text_print(FILE *f, const char *fmt, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	text = text_cleaned_own(text);
	n = fprintf(f, "%s", text);
	free(text);
	return n;
}

void text_clean(char *text, size_t room)
{
	char *clean = text_cleaned(text);

	snprintf(text, room, "%.*s", text_prefix(clean, room - 1), clean);
	free(clean);
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80; /* not a continuation byte */
	return n;
}

void text_wrap(FILE *f, const char *text, size_t at, size_t indent, size_t columns)
{
	char *copy = text_cleaned(text), *rest = copy, *word;
	bool first = true;

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

void percent_format(char buf[NUMBER_BYTES], double percent, int decimals)
{
	double size = fabs(percent);

	if (size > 0 && size < 0.5 * pow(10, -decimals))
		decimals = size < 1e-9 ? 9 : (int)ceil(-log10(size));
	snprintf(buf, NUMBER_BYTES, "%+.*f %%", decimals, percent);
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
