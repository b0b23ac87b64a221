/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many boots a comparison needs. */
#include "host/stats/power.h"

#include <math.h>

#include <gsl/gsl_sf_gamma.h>

/* More than anybody will boot: the search ends there. */
#define BOOTS_MAX 1000000

/* All signs alike: 2 / 2^n. */
size_t stats_least_pairs(double alpha, size_t family)
{
	double least = ceil(1 - log2(alpha / (double)family));

	return least < 1 ? 1 : (size_t)least;
}

/* All of one below all of the other: 2 / C(2n, n). */
size_t stats_least_values(double alpha, size_t family)
{
	size_t n = 1;

	while (log(2) - gsl_sf_lnchoose((unsigned int)(2 * n), (unsigned int)n) >
	       log(alpha / (double)family))
		n++;
	return n;
}

double stats_apart_by_chance(size_t n, size_t m)
{
	return fmin(1, 2 * exp(-gsl_sf_lnchoose((unsigned int)(n + m), (unsigned int)n)));
}

double stats_boots_needed(const struct stats_power *p)
{
	double least = (double)(p->paired ? stats_least_pairs(p->alpha, p->family)
					  : stats_least_values(p->alpha, p->family));
	double size = fabs(p->shift), room = fabs(size - p->band), reach, needed;

	if (isnan(p->lo) || isnan(p->hi))
		return least;
	/* The side of the interval that reaches over the edge. */
	if (size > p->band)
		reach = p->shift > 0 ? p->shift - p->lo : p->hi - p->shift;
	else
		reach = fmax(p->shift - p->lo, p->hi - p->shift);
	if (!(room > 0))
		return NAN;
	/* What boots do not shrink was added in quadrature. */
	if (p->drift >= room)
		return NAN;
	needed = ceil((double)p->boots * (fmax(reach * reach - p->drift * p->drift, 0) /
					  (room * room - p->drift * p->drift)));
	/* To be told to be the same takes no significance. */
	if (size > p->band)
		needed = fmax(needed, least);
	/* There is an interval, and it did not do: so many were not enough. */
	needed = fmax(needed, (double)p->boots + 1);
	return needed > BOOTS_MAX ? NAN : needed;
}
