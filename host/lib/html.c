/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML: escaped text; and the colours. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/lib/text.h"

void html_text(FILE *f, const char *text)
{
	unsigned int unsafe;
	size_t n;

	for (; *text; text += n) {
		n = text_char(text, &unsafe);
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\'':
			fputs("&#39;", f);
			break;
		case '\n':
			fputc('\n', f);
			break;
		default:
			if (unsafe == TEXT_SAFE)
				fwrite(text, 1, n, f);
			else
				fputc('?', f);
		}
	}
}

static void format(FILE *f, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	html_text(f, text);
	free(text);
}

void html_format(FILE *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format(f, fmt, ap);
	va_end(ap);
}

void html_tag(FILE *f, const char *tag, const char *fmt, ...)
{
	va_list ap;

	fprintf(f, "<%s>", tag);
	va_start(ap, fmt);
	format(f, fmt, ap);
	va_end(ap);
	fprintf(f, "</%.*s>", (int)strcspn(tag, " "), tag);
}

static const struct {
	const char *light, *dark;
} colors[COLORS] = {
	[COLOR_INK] = { "#000000", "#e8eaed" },
	[COLOR_SOFT] = { "#555555", "#a9b0b7" },
	[COLOR_AXIS] = { "#888888", "#7d858d" },
	[COLOR_GRID] = { "#dddddd", "#363c42" },
	[COLOR_BAND] = { "#f5f5f5", "#1e2226" },
	[COLOR_PAPER] = { "#ffffff", "#15181b" },
	[COLOR_SERIES + 0] = { "#0072b2", "#3f9ee0" },
	[COLOR_SERIES + 1] = { "#e69f00", "#e69f00" },
	[COLOR_SERIES + 2] = { "#009e73", "#20bf95" },
	[COLOR_SERIES + 3] = { "#d55e00", "#f0803c" },
	[COLOR_SERIES + 4] = { "#56b4e9", "#93d2ff" },
	[COLOR_SERIES + 5] = { "#cc79a7", "#dd96be" },
	[COLOR_SERIES + 6] = { "#999999", "#9aa0a6" },
};

static size_t within(size_t c)
{
	return c < COLORS ? c : COLOR_SERIES + (c - COLOR_SERIES) % COLOR_SERIES_N;
}

const char *color_light(size_t c)
{
	return colors[within(c)].light;
}

const char *color_dark(size_t c)
{
	return colors[within(c)].dark;
}

size_t color_find(unsigned int red, unsigned int green, unsigned int blue)
{
	for (size_t c = 0; c < COLORS; c++) {
		unsigned int r, g, b;

		if (sscanf(colors[c].light, "#%2x%2x%2x", &r, &g, &b) == 3 && r == red &&
		    g == green && b == blue)
			return c;
	}
	return COLORS;
}
