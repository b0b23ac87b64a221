/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as points on an axis, before it is drawn. For differences.c. */
#ifndef WS_VIEW_FOREST_H
#define WS_VIEW_FOREST_H

#include <stdbool.h>
#include <stddef.h>

#include "host/compare/compare.h"

struct forest_point {
	const struct compare_row *row;
	char label[160];
	double value, lo, hi; /* percent, or in the row's unit; NAN: no interval */
};

struct forest {
	const struct compare *compare;
	struct forest_point *points; /* largest first */
	size_t n;
	size_t n_equal;	    /* exact rows without any difference: named, not drawn */
	char *equal;	    /* their names */
	size_t n_without;   /* rows that cannot be compared */
	bool percent;	    /* the axis: percent of the base, or the rows' unit */
	bool bent;	    /* linear about zero, logarithmic far from it */
	double least, most; /* the axis' ends, as it is bent */
};

/* Aborts on lack of memory. The comparison must outlive it. */
void forest_build(struct forest *f, const struct compare *c);
void forest_free(struct forest *f);

/* Where a value stands on the axis. */
double forest_bend(const struct forest *f, double value);
double forest_percent(double ratio);
/* By how much a row moved, and as a ratio: the shift, or the figures' own difference. */
double forest_difference(const struct compare_row *row);
double forest_ratio(const struct compare_row *row);
/* Up to where differences do not matter, as the axis counts; 0: all of them do. */
double forest_band(const struct forest *f, const struct compare_row *row);
size_t forest_count(const struct forest *f, enum compare_verdict v);

#endif
