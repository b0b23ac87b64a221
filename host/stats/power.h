/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many boots a comparison needs. Pure functions, no I/O. */
#ifndef WS_STATS_POWER_H
#define WS_STATS_POWER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The least number of pairs for which the sign test, or of values a side for which
 * Mann-Whitney's test, can be significant at `alpha`, in a family of `family` tests.
 */
size_t stats_least_pairs(double alpha, size_t family);
size_t stats_least_values(double alpha, size_t family);

/*
 * How likely it is that all of `n` values lie on one side of all of `m` others, either
 * side, where all are drawn alike. Less where values can be equal.
 */
double stats_apart_by_chance(size_t n, size_t m);

struct stats_power {
	bool paired;
	double shift;  /* the difference seen */
	double lo, hi; /* its interval; NAN: too few boots for one */
	double band;   /* below which it does not matter */
	double drift;  /* of the interval's width to a side, what boots do not shrink */
	size_t boots;  /* a side */
	double alpha;
	size_t family;
};

/*
 * About how many boots a side would let the interval clear the band's edge, were the
 * shift what it seems to be: an interval's width goes with the root of the number.
 * At least as many as significance takes. NAN: the shift lies on the edge, or there
 * is no interval to go by.
 */
double stats_boots_needed(const struct stats_power *power);

#endif
