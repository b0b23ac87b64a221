/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a series splits best, by the energy statistic of E-divisive (Matteson and
 * James, A Nonparametric Approach for Multiple Change Point Analysis of Multivariate
 * Data, 2014). Pure functions, no I/O.
 */
#ifndef WS_STATS_DIVISIVE_H
#define WS_STATS_DIVISIVE_H

#include <stddef.h>

/* Sums of distances within one window of a series, for all of its parts. */
struct divisive;

/* `values` must outlive it. NULL: no memory. */
struct divisive *divisive_new(const double *values, size_t n);
void divisive_free(struct divisive *d);

/*
 * The split of values[start, end), end - start >= 2, whose two sides differ most:
 * left is [start, split), right [split, k) for the k <= end that makes the most of
 * it. The first of equals. `*statistic` is how much they differ, >= 0.
 */
size_t divisive_split(const struct divisive *d, size_t start, size_t end,
		      double *statistic);

#endif
