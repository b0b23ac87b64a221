/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML. Markup comes from the program (fputs); text from documents is escaped by these
 * functions.
 */
#ifndef WS_LIB_HTML_H
#define WS_LIB_HTML_H

#include <stdio.h>

/* Escapes text, or part of a quoted attribute; control characters become '?'. */
void html_text(FILE *f, const char *text);
void html_format(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * An element with escaped text. `tag` is a name with attributes, from the program:
 * html_tag(f, "td class=n", "%s", value).
 */
void html_tag(FILE *f, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Prints an SVG of gnuplot as part of a page: without the XML head, scaled to the
 * page's width, in the page's colours (color.h: var(--c0), ...), with ids that contain
 * `number`. `caption` is the text alternative.
 */
void html_svg(FILE *f, const char *svg, const char *caption, unsigned int number);

#endif
