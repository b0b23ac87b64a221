/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a series of figures changes for good. Pure functions, no I/O.
 *
 * Windowed E-divisive with Student's t as its test and a merge of what is too weak:
 * Fleming et al., Hunter: Using Change Point Detection to Hunt for Performance
 * Regressions, 2023, as in Apache Otava.
 */
#ifndef WS_STATS_CHANGEPOINT_H
#define WS_STATS_CHANGEPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct changepoint_rules {
	size_t window;	  /* values looked at together, at least 2 */
	double pvalue;	  /* a change is significant below it */
	double magnitude; /* relative change that is one at all; 0: any */
	double quantum;	  /* step in which the figures come, 0: unknown... */
	double quanta;	  /* ... and how many of it a change takes */
	/*
	 * Exactly what Apache Otava does: standard deviations divided by n, no
	 * notice of the quantum, windows whatever the length; and when a merge
	 * removes a change point, the one after the next is tested again instead
	 * of the one before.
	 */
	bool otava;
};

/* Below this many values there are prediction intervals instead of windows... */
#define CHANGEPOINT_SHORT  12
/* ... and they take this many values of what was. */
#define CHANGEPOINT_BEFORE 3

struct changepoint {
	size_t index; /* first value of what is new */
	double pvalue;
	double before, after; /* means from change point to change point */
};

/*
 * The change points of `values`, all finite, in order. `out` has room for n. 0 or
 * -ENOMEM. Figures under CHANGEPOINT_SHORT are judged one after the other: one
 * outside the prediction interval of those since the last change is a change.
 */
int changepoint_find(const double *values, size_t n,
		     const struct changepoint_rules *rules, struct changepoint *out,
		     size_t *n_out);

/*
 * Of an exact series of ranges [lo, hi], points where lo = hi: from change to change,
 * all ranges overlap each other, and the first that lies apart from one of them is a
 * change. `before` and `after` are the nearest ends of that range and of what those
 * before it have in common; p is 0.
 */
size_t changepoint_ranges(const double *lo, const double *hi, size_t n,
			  struct changepoint *out);

/* The larger of the relative changes there and back; 0 where a mean is 0. */
double changepoint_magnitude(const struct changepoint *c);

#endif
