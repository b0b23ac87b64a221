/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Result documents as tables: the rows of several documents, the configs of one, and the
 * tables that `wsbench run` prints.
 */
#ifndef WS_REPORT_RUN_TABLE_H
#define WS_REPORT_RUN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/table.h"

struct result;
struct result_benchmark;

/* ------------------------------ rows and configs ------------------------------ */

/*
 * The union of the rows of several documents: each benchmark under each config once, in
 * the catalogue's order. And the benchmarks that one document has under several configs.
 */

struct rows_row {
	const char *name, *config; /* a document's */
	size_t rank;		   /* place in the catalogue */
	char *label; /* "null"; "pmccntr [pmu-off]" if the config is not clear */
};

struct rows {
	struct rows_row *rows;
	size_t n;
};

/* Aborts without memory. The documents must outlive the rows. */
void rows_collect(struct rows *rows, const struct result *const *docs, size_t n);
void rows_free(struct rows *rows);

/* A document's benchmark for a row, or NULL. */
const struct result_benchmark *rows_find(const struct result *r,
					 const struct rows_row *row);

/*
 * What tells document `d` from others of its target: its label, its kernel, or its number
 * ("#2"); "" if it is the only one.
 */
#define ROWS_MARK_BYTES 64
void rows_mark(const struct result *const *docs, size_t n, size_t d,
	       char mark[ROWS_MARK_BYTES]);

struct configs {
	const char **names; /* in the order of --config */
	size_t n;
	const char **rows; /* benchmarks with a figure under at least two configs */
	size_t n_rows;
	const struct result_benchmark **cells; /* n per row; NULL: not measured */
};

/* `only` NULL NULL: all configs. Names and cells belong to the document. Aborts without
 * memory. */
void configs_collect(struct configs *c, const struct result *r,
		     const char *const only[2]);
void configs_free(struct configs *c);

const struct result_benchmark *configs_at(const struct configs *c, size_t row,
					  size_t config);

/* The summary of a config in the table of configs; "" for unknown configs. */
const char *configs_summary(const char *name);

/* ------------------------------ the table of a run ------------------------------ */

/*
 * Benchmarks down, documents across. `wsbench run` prints the table with its notes; the
 * report shows the same table as HTML.
 */

struct run_table {
	struct table table;
	const struct result *const *docs;
	size_t n_docs;
	/* What the table contains, for its legend. */
	bool absent, marks, intervals, ranges, traps, unobserved;
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
