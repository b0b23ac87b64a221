/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The union of the rows of several documents: each benchmark under each config once, in
 * the catalogue's order. And the benchmarks that one document has under several configs.
 */
#ifndef WS_REPORT_ROWS_H
#define WS_REPORT_ROWS_H

#include <stddef.h>

struct result;
struct result_benchmark;

struct rows_row {
	const char *name, *config; /* a document's */
	size_t rank;		   /* place in the catalogue, then among its configs */
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
	const char **names; /* in the catalogue's order, then in the document's */
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

#endif
