/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two unpaired samples by their ranks: is one larger, by how much, how clearly.
 * Pure functions, no I/O. `x` is the base, `y` the new one throughout.
 */
#ifndef WS_STATS_RANK_H
#define WS_STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>

struct stats_mann_whitney {
	double u;		  /* pairs with x > y, ties count half */
	double p_less, p_greater; /* that u is so small, or so large, by chance */
	double p;		  /* two-sided: twice the smaller, at most 1 */
	bool exact;
};

/*
 * Mann-Whitney's U test. Exact with ties (the distribution of the rank sum over all
 * ways to deal the values that there are) up to STATS_EXACT_MAX values in all,
 * above that normal, corrected for ties and continuity (Lehmann, Nonparametrics,
 * 1.2 and 1.5). 0; -ERANGE where a sample is empty; -ENOMEM.
 */
#define STATS_EXACT_MAX 100
int stats_mann_whitney(const double *x, size_t n_x, const double *y, size_t n_y,
		       struct stats_mann_whitney *out);

struct stats_shift {
	double shift;  /* Hodges-Lehmann: median of all y - x */
	double lo, hi; /* NAN: too few values for `level` */
	double actual; /* coverage reached, >= level; NAN */
};

/*
 * By how much y is larger than x, with the interval that belongs to Mann-Whitney's
 * test (exact up to STATS_EXACT_MAX values, if there are no ties; ties make it
 * cover more). 0; -ERANGE where a sample is empty; -ENOMEM.
 */
int stats_shift(const double *x, size_t n_x, const double *y, size_t n_y, double level,
		struct stats_shift *out);

/* Cliff's delta: share of pairs with y > x less that with y < x. -1 to 1. */
double stats_cliff(const double *x, size_t n_x, const double *y, size_t n_y);

#endif
