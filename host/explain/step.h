/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions behind a step of a history: those of several rows together. */
#ifndef WS_EXPLAIN_STEP_H
#define WS_EXPLAIN_STEP_H

#include <stddef.h>

struct explanation;
struct table;

/* A row that the step changed, before and after; the strings belong to the creator. */
struct step_row {
	const char *name; /* "hypercall [pmu-off]" */
	const struct explanation *base, *now;
};

/* The change of a function, over the rows: functions of one name can differ in space. */
struct step_function {
	const char *name, *space, *module, *layer;
	const char *how; /* in the first of its rows; NULL */
	long long least, most;
	size_t n_rows; /* in which it changed */
};

struct step {
	struct step_function
		*functions; /* by rows and size of the change, largest first */
	size_t n;
	struct step_changes *changes; /* owns `how` */
};

/* The rows must outlive the step; step_free() it. */
void step_sum(const struct step_row *rows, size_t n, struct step *out);
void step_free(struct step *step);

/*
 * The table of a step of `n_rows` rows, at most `top` functions: table_free() it. A
 * change that differs between rows is a range.
 */
void step_table(struct table *t, const struct step *step, size_t n_rows, size_t top);

#endif
