/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows that several documents have between them: each benchmark under each
 * config once, in the catalogue's order.
 */
#ifndef WS_VIEW_ROWS_H
#define WS_VIEW_ROWS_H

#include <stddef.h>

struct result;
struct result_benchmark;

struct rows_row {
	const char *name, *config; /* a document's */
	size_t rank;		   /* place in the catalogue, then among its configs */
	char *label;		   /* "null"; "pmccntr [pmu-off]" where it matters */
};

struct rows {
	struct rows_row *rows;
	size_t n;
};

/* Aborts on lack of memory. The rows live no longer than the documents. */
void rows_collect(struct rows *rows, const struct result *const *docs, size_t n);
void rows_free(struct rows *rows);

/* What a document has for a row, or NULL. */
const struct result_benchmark *rows_find(const struct result *r,
					 const struct rows_row *row);

#endif
