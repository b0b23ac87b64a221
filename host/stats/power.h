/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power: what a change must be to be found, and how many boots and runs find it. Pure
 * functions, no I/O. Changes and standard deviations are of the logarithm of a figure.
 *
 * A run's figure varies by what differs from run to run, and by its boots:
 *
 *	variance of a side = run^2 / runs + HL * boot^2 / (runs * boots)
 *
 * HL = pi / 3 is the loss of the Hodges-Lehmann estimate against a mean, for normal noise
 * (Lehmann, Nonparametrics, 2.4). Boots within a run are taken as independent.
 */
#ifndef WS_STATS_POWER_H
#define WS_STATS_POWER_H

#include <stddef.h>

struct power_plan {
	double boot, run; /* standard deviations; run 0: one run a side */
	size_t runs;	  /* of each side, at least 1 */
	size_t boots;	  /* of each run, at least 2 */
	double alpha;	  /* significance of one test, two-sided */
	double level;	  /* of the interval, which must leave the band */
	double band;	  /* changes within +-band are not reported */
	double power;	  /* the share of changes that are found */
};

/*
 * The least change that is found. The degrees of freedom are those of the runs, or of the
 * boots if there is one run a side. INFINITY: no change is.
 */
double power_seen(const struct power_plan *plan);

/* The least boots of one run a side, and the least runs with plan->boots each, at least
 * 2, that find a change. NAN: more than POWER_MOST, or it is within the band. */
#define POWER_MOST 1000
double power_boots(const struct power_plan *plan, double change);
double power_runs(const struct power_plan *plan, double change);

/* A step of a history: found by Student's t, and of a least size. */
struct power_gate {
	double sd;     /* of a run's figure */
	size_t before; /* runs before the step */
	double alpha;
	double least; /* reported changes are at least this */
	double power;
};

/* The least step that is found after `after` runs; INFINITY: none. */
double power_step(const struct power_gate *gate, size_t after);
/* The least runs, at least 2, that find a step. NAN: more than POWER_MOST, or less than
 * the least change. */
double power_step_runs(const struct power_gate *gate, double step);

#endif
