/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The colours of pictures and of the report, in one table: on white paper, and on
 * the dark page of whoever prefers that.
 */
#ifndef WS_VIEW_COLOR_H
#define WS_VIEW_COLOR_H

#include <stddef.h>

enum color {
	COLOR_INK,
	COLOR_SOFT, /* text that is read second */
	COLOR_AXIS,
	COLOR_GRID,
	COLOR_BAND, /* every other row's ground */
	COLOR_PAPER,
	COLOR_SERIES, /* the first of COLOR_SERIES_N */
};

/*
 * Okabe and Ito, Color Universal Design (2008), without black and yellow: told apart
 * by those who see colours differently. In grey, and where there are more series
 * than colours, the words beside each mark tell.
 */
#define COLOR_SERIES_N 7u
#define COLORS	       ((size_t)COLOR_SERIES + COLOR_SERIES_N)

/* Series that mean something. */
#define COLOR_WORSE  (COLOR_SERIES + 3) /* vermillion */
#define COLOR_BETTER (COLOR_SERIES + 0) /* blue */

/* "#rrggbb"; `c` may be beyond the last series: they begin anew. */
const char *color_light(size_t c);
const char *color_dark(size_t c);

/* The colour of these parts on paper, or COLORS where it is none of ours. */
size_t color_find(unsigned int red, unsigned int green, unsigned int blue);

#endif
