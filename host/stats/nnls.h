/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Least squares with coefficients that are not negative: Lawson and Hanson, "Solving
 * Least Squares Problems" (1974), chapter 23, algorithm NNLS.
 *
 * Pure functions, no I/O.
 */
#ifndef WS_STATS_NNLS_H
#define WS_STATS_NNLS_H

#include <stddef.h>

/*
 * Minimizes |a x - b| over x >= 0. `a`: `rows` x `columns`, by rows. Columns are scaled
 * to the same length for the solution, so that their units do not matter; a column of
 * zeros has coefficient 0. 0; -ENOMEM; -ERANGE: no solution within 10 * columns steps.
 */
int stats_nnls(const double *a, const double *b, size_t rows, size_t columns, double *x);

#endif
