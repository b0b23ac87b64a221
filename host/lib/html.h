/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML. Markup comes from the program's own strings (fputs); whatever comes from a
 * document goes through these, and stays text.
 */
#ifndef WS_VIEW_HTML_H
#define WS_VIEW_HTML_H

#include <stdio.h>

/* As text, or as part of a quoted attribute; control characters become '?'. */
void html_text(FILE *f, const char *text);
void html_format(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * An element with such text in it. `tag` is a name and its attributes, of the
 * program's own: html_tag(f, "td class=n", "%s", value).
 */
void html_tag(FILE *f, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * An SVG that gnuplot drew, as part of a page: without the XML head, as wide as there
 * is room, in the page's colours (see color.h: var(--c0) and so on), with ids of its
 * own by `number`. `caption` is what those hear who cannot see it.
 */
void html_svg(FILE *f, const char *svg, const char *caption, unsigned int number);

#endif
