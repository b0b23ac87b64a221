/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The colours of pictures and of the report. */
#include "host/lib/color.h"

#include <stdio.h>

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
