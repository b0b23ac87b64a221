/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bar charts of the round trips of one or more documents, drawn by gnuplot.
 */
#ifndef WS_VIEW_CHART_H
#define WS_VIEW_CHART_H

#include <stddef.h>

struct result;

struct chart_error {
	char text[512];
};

/* The files that were written; the strings are the list's own. */
struct chart_files {
	char **paths;
	size_t n;
};
void chart_files_free(struct chart_files *files);

/*
 * Draws the round trip of every benchmark, grouped by target, on a logarithmic
 * axis: one chart per unit ("insns", "ticks"), for they cannot share an axis, as
 * DIR/round_trip-UNIT.svg and .png. Creates `dir`, replaces files whole or not
 * at all. 0, or a negative errno with `err` filled in: -ENOENT (no gnuplot),
 * -ENODATA (no figure in any document), -EIO (gnuplot failed), or what opening,
 * writing or renaming said. `files` is filled in either way; free it.
 */
int chart_bars(const struct result *const *docs, size_t n, const char *dir,
	       struct chart_files *files, struct chart_error *err);

#endif
