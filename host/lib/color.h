/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The colours of pictures and of the report: a table with a light and a dark variant. */
#ifndef WS_LIB_COLOR_H
#define WS_LIB_COLOR_H

#include <stddef.h>

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
