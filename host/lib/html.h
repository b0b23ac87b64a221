/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML, and the colours of pictures and of the report. Markup comes from the program
 * (fputs); text from documents is escaped by these functions.
 */
#ifndef WS_LIB_HTML_H
#define WS_LIB_HTML_H

#include <stddef.h>
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
 * page's width, in the page's colours (var(--c0), ...), with ids that contain
 * `number`. `caption` is the text alternative.
 */
void html_svg(FILE *f, const char *svg, const char *caption, unsigned int number);

/* The colours: a table with a light and a dark variant. */
enum color {
	COLOR_INK,
	COLOR_SOFT, /* secondary text */
	COLOR_AXIS,
	COLOR_GRID,
	COLOR_BAND, /* background of every other row */
	COLOR_PAPER,
	COLOR_SERIES, /* the first of COLOR_SERIES_N */
};

/*
 * Okabe and Ito, Color Universal Design (2008), without black and yellow:
 * distinguishable with colour vision deficiencies. Pictures have words beside each mark
 * for print in grey and for more series than colours.
 */
#define COLOR_SERIES_N 7u
#define COLORS	       ((size_t)COLOR_SERIES + COLOR_SERIES_N)

/* Series with a meaning. */
#define COLOR_WORSE  (COLOR_SERIES + 3) /* vermillion */
#define COLOR_BETTER (COLOR_SERIES + 0) /* blue */

/* "#rrggbb". Colours of series beyond the last are reused. */
const char *color_light(size_t c);
const char *color_dark(size_t c);

/* The colour with these parts in the light variant, or COLORS. */
size_t color_find(unsigned int red, unsigned int green, unsigned int blue);

#endif
