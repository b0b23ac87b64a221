/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML: escaped text. */
#include "host/lib/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void html_text(FILE *f, const char *text)
{
	for (; *text; text++) {
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
			fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text,
			      f);
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
