/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the events of a boot are independent and of one distribution: comparison of
 * the halves, autocorrelation, modes. Pure functions, no I/O.
 */
#ifndef WS_STATS_STEADY_H
#define WS_STATS_STEADY_H

#include <stdbool.h>
#include <stddef.h>

/* Correlation of each event with the next, -1 to 1. NAN: fewer than 3 events, or
 * constant. */
double stats_autocorrelation(const double *values, size_t n);

struct stats_halves {
	double first, second; /* medians; NAN: fewer than 4 events */
	double p;	      /* of Mann-Whitney's test; NAN */
};

/* `values` in the order of time; an odd value in the middle is ignored. 0 or -ENOMEM. */
int stats_halves(const double *values, size_t n, struct stats_halves *out);

#define STATS_MODES_MAX 4

struct stats_modes {
	size_t n; /* 1: unimodal; 0: no events */
	struct {
		double value;	 /* median of the events of the mode */
		double share;	 /* of all events */
	} mode[STATS_MODES_MAX]; /* ascending by value */
};

/*
 * The modes: clusters of at least 5 % of the events, separated by valleys of less than
 * half the lower peak. Events closer together than `apart` are one cluster. `sorted`
 * ascending. 0 or -ENOMEM.
 */
int stats_modes(const double *sorted, size_t n, double apart, struct stats_modes *out);

#endif
