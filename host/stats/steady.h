/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with the events of one boot, if anything: whether the second half is
 * like the first, whether one event tells of the next, and whether there are several
 * kinds of them. Pure functions, no I/O.
 */
#ifndef WS_STATS_STEADY_H
#define WS_STATS_STEADY_H

#include <stdbool.h>
#include <stddef.h>

/* Correlation of each event with the next, -1 to 1. NAN: fewer than 3, or constant. */
double stats_autocorrelation(const double *values, size_t n);

struct stats_halves {
	double first, second; /* medians; NAN: fewer than 4 events */
	double p;	      /* Mann-Whitney's; NAN */
};

/* 0 or -ENOMEM. In the order of time. An odd one in the middle is left out. */
int stats_halves(const double *values, size_t n, struct stats_halves *out);

#define STATS_MODES_MAX 4

struct stats_modes {
	size_t n; /* 1: unimodal; 0: no events */
	struct {
		double value;	 /* median of the events that belong to it */
		double share;	 /* of all events */
	} mode[STATS_MODES_MAX]; /* ascending by value */
};

/*
 * Clusters of events that hold at least a twentieth of them each, with a valley of
 * less than half the lower peak in between. What lies closer together than
 * `apart` counts as one place. `sorted` ascending. 0 or -ENOMEM.
 */
int stats_modes(const double *sorted, size_t n, double apart, struct stats_modes *out);

#endif
