/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the variance comes from: boots, batches within boots, events within batches;
 * after Kalibera and Jones, "Rigorous benchmarking in reasonable time" (2013).
 */
#ifndef WS_STATS_VARIANCE_H
#define WS_STATS_VARIANCE_H

#include <stddef.h>

#define STATS_LEVELS_MAX 4

struct stats_levels {
	size_t n;		       /* levels, 1 to STATS_LEVELS_MAX */
	size_t reps[STATS_LEVELS_MAX]; /* each >= 2, highest level first: boots */
};

struct stats_variance {
	double mean;
	/* Lowest level first. Biased: what lies below adds to it. */
	double s2[STATS_LEVELS_MAX];
	/* What the level adds by itself; below 0: nothing that can be seen. */
	double t2[STATS_LEVELS_MAX];
};

/*
 * `values`: reps[0] x reps[1] x ... of them, the lowest level's side by side. 0;
 * -EINVAL for levels that are none; -ENOMEM.
 */
int stats_variance(const double *values, const struct stats_levels *levels,
		   struct stats_variance *out);

/*
 * How often to repeat level i (0: lowest) within one repetition of the level above,
 * for the narrowest interval at a given cost: cost[i] of one repetition of each.
 * NAN where a level's own variance is not positive. Not rounded.
 */
double stats_best_reps(const struct stats_variance *v, size_t i, const double *cost);

#endif
