/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of result documents: benchmarks down, documents across. `wsbench run` prints
 * the table with its notes; the report shows the same table as HTML.
 */
#ifndef WS_REPORT_RUN_TABLE_H
#define WS_REPORT_RUN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/table.h"

struct result;

struct run_table {
	struct table table;
	const struct result *const *docs;
	size_t n_docs;
	/* What the table contains, for its legend. */
	bool absent, marks, intervals, ranges, traps;
	bool compares; /* most benchmarks have several configs: each is compared with the
			  first */
};

/*
 * `heads`: the names of the documents; NULL: the targets' names, and a comparison of
 * configs where most benchmarks have several. `plus_minus` precedes half the width of a
 * confidence interval. The documents must outlive the table. Aborts when memory is
 * exhausted.
 */
void run_table_build(struct run_table *m, const struct result *const *docs, size_t n,
		     const char *const *heads, const char *plus_minus);
/* Moves the rows of different figures to the front. Returns their number. */
size_t run_table_differing_first(struct run_table *m);
void run_table_free(struct run_table *m);

/*
 * The table, notes and warnings; with `legend` also a title, the legend and the machines.
 * Write errors stay in ferror(f).
 */
void run_table_print(FILE *f, const struct result *const *docs, size_t n,
		     const struct table_options *o, bool legend);

/* Everything of run_table_print() that is below the table. */
void run_table_print_foot(FILE *f, const struct run_table *m,
			  const struct table_options *o, bool legend);

/* All metrics of a document, and why an estimate is missing. */
void run_metrics_print(FILE *f, const struct result *r, const struct table_options *o);

/* The statistics of the run loop, per benchmark over all boots. */
void run_statistics_print(FILE *f, const struct result *r, const struct table_options *o);

#endif
