/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much the machine itself wanders during a run.
 *
 * A run boots every row once in each of its rounds, so what all rows of a round have
 * in common is the machine's doing: its clock rate, its neighbours, its heat. It may
 * wander slowly: then one run has seen one state of it, however many boots it made, and
 * another run will see another. So this part of the noise does not shrink with the
 * number of boots, and two runs may differ by so much for no other reason.
 */
#ifndef WS_CLAIM_DRIFT_H
#define WS_CLAIM_DRIFT_H

#include <stddef.h>

#include "host/result/result.h"

struct drift {
	/*
	 * Standard deviation, over rounds, of what the rows have in common (the
	 * median over rows of ln(boot / its row's median)). With few rows their own
	 * noise is in it, too. 0: there is nothing to tell it from.
	 */
	double sd;
	size_t rounds; /* it rests on */
};

/* Aborts on lack of memory. */
struct drift drift_of(const struct result *r);

/*
 * Between two runs: the standard deviation of the difference (of ln) that comes of it,
 * and the t distribution's quantile that makes it an interval of `level`.
 */
struct drift_between {
	double sd, df;
};
struct drift_between drift_between(const struct drift *a, const struct drift *b);
double drift_reach(const struct drift_between *d, double level);

#endif
