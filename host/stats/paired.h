/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs, and families of tests. Pure functions, no I/O. */
#ifndef WS_STATS_PAIRED_H
#define WS_STATS_PAIRED_H

#include <stddef.h>

/*
 * Two-sided p of the exact sign test: that so many of `n` differences have the same
 * sign by chance. Zeros are left out; NAN where nothing else is there.
 */
double stats_sign_test(const double *differences, size_t n);

/*
 * Holm's step-down: adjusted[i] <= alpha means that p[i] is significant at alpha in a
 * family of all `n`. A p that is NAN is not of the family and stays NAN. 0 or
 * -ENOMEM. The two arrays may be the same.
 */
int stats_holm(const double *p, size_t n, double *adjusted);

#endif
