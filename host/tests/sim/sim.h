/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator that judges compare and history: figures with known noise and known
 * changes, and how often a verdict is false or a change is found.
 */
#ifndef WS_TESTS_SIM_SIM_H
#define WS_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>

#include <gsl/gsl_rng.h>

/* Counts over all repetitions of a scenario. */
struct sim_counts {
	size_t units;	    /* comparisons, series or checks */
	size_t wrong_units; /* with at least one false verdict or change */
	size_t rows;	    /* compared rows; else 0 */
	size_t wrong_rows;
	size_t undecided; /* comparisons that end with 3 */
	size_t wanted;	  /* units with a change that can be found */
	size_t found;
	size_t changes; /* reported changes; of comparisons 0 */
};

/* The rate that a bound limits. */
enum sim_rate {
	SIM_WRONG, /* wrong_units per unit, at most the bound */
	SIM_EXIT3, /* undecided per unit, at most */
	SIM_FOUND, /* found per wanted, at least */
	SIM_FREE,  /* no bound */
};

struct sim_bound {
	enum sim_rate rate;
	double value; /* a share */
	bool open;    /* does not hold yet: reported, not an error */
};

/* An AR(1) process: `sd` of each value, `phi` the correlation with the next. */
struct sim_ar {
	double sd, phi;
};

/* n values of a stationary process. */
void sim_ar_fill(gsl_rng *rng, const struct sim_ar *ar, double *out, size_t n);

struct sim_scenario {
	const char *name;
	size_t repeat; /* units of a full table */
	bool quick;    /* in the subset of `make test`, with a tenth of the units */
	struct sim_bound bound;
	const void *detail; /* of the kind */
};

/* A kind of scenario: a table with its own heading. */
struct sim_kind {
	const char *title, *units;
	const struct sim_scenario *scenarios;
	size_t n;
	void (*simulate)(const struct sim_scenario *s, gsl_rng *rng, size_t repeat,
			 struct sim_counts *out);
};

extern const struct sim_kind sim_compare, sim_history;

#endif
