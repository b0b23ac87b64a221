/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * estimated_cycles: a weighted sum of what an event touches. An estimate: it is shown
 * with its weights, and is not a metric of documents, so that no gate can depend on it.
 */
#ifndef WS_EXPLAIN_ESTIMATE_H
#define WS_EXPLAIN_ESTIMATE_H

#include <stdio.h>

#include "host/explain/explanation.h"
#include "host/lib/error.h"

struct table_options;

/* The counts that can have a weight: "insns" and metrics of touch_metrics(), warm. */
#define ESTIMATE_TERMS 17
const char *estimate_term(size_t i);

struct estimate_weights {
	char name[64];
	char source[160];
	char unit[16]; /* "cycles", or that of the rows that were fitted */
	double weight[ESTIMATE_TERMS];
};

/*
 * A family of weights.def, or a file of `wsbench calibrate`: lines of a term and a
 * weight, and comments from '#' on. 0, or -errno with `err`.
 */
int estimate_weights(const char *name, struct estimate_weights *w, struct error *err);
/* Such a file; for `f`, with comments. Write errors stay in ferror(f). */
void estimate_write(FILE *f, const struct estimate_weights *w, const char *comment);

/* The terms of an explanation, or of a row of a lab's document. False: some are missing.
 */
bool estimate_counts(const struct explanation *e, double counts[ESTIMATE_TERMS]);
bool estimate_counts_of_row(const struct result_benchmark *b,
			    double counts[ESTIMATE_TERMS]);

double estimate_sum(const struct estimate_weights *w,
		    const double counts[ESTIMATE_TERMS]);

/* The formula, term by term. The explanation must say what the event touches. */
void estimate_print(FILE *f, const struct explanation *e,
		    const struct estimate_weights *w, const struct table_options *o);

/* A row measured on hardware, with its counts from a lab. */
struct estimate_row {
	const char *name, *config;
	double measured;
	double counts[ESTIMATE_TERMS];
	double fitted;	 /* by the weights of all rows */
	double left_out; /* by the weights of all other rows; NAN: no solution */
};

/*
 * Fits weights >= 0 to rows, by least squares of relative errors, and each row again by
 * the other rows (leave-one-out cross-validation). Fills in `fitted` and `left_out`. 0;
 * -ERANGE: fewer than ESTIMATE_ROWS_MIN rows, or no solution; -ENOMEM.
 */
#define ESTIMATE_ROWS_MIN 4
int estimate_fit(struct estimate_row *rows, size_t n, struct estimate_weights *w);

/* The median and the largest of |left_out / measured - 1|. */
void estimate_errors(const struct estimate_row *rows, size_t n, double *median,
		     double *largest);

#endif
