/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One picture of a history: which series, and the runs along its axis. */
#ifndef WS_VIEW_HISTORY_SHEET_H
#define WS_VIEW_HISTORY_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "host/history/history.h"

struct figure;

#define HISTORY_ROWS_MAX 12 /* of one picture; --bench chooses others */

struct history_sheet {
	const struct history *h;
	size_t place;
	const struct history_series *rows[HISTORY_ROWS_MAX];
	size_t n_rows, n_left_out, n_flat; /* these never changed */
	unsigned int row_pixels;
};

/* Where a point stands on the axis of runs. */
double history_at(const struct history_sheet *sheet, const struct history_point *p);

/* The axis; names of runs only if `named`, below the last row. */
void history_print_runs(const struct figure *g, const struct history_sheet *sheet,
			bool named);

#endif
