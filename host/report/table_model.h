/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a table of documents says, before it is laid out. Text is as in the documents. */
#ifndef WS_VIEW_TABLE_MODEL_H
#define WS_VIEW_TABLE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/number.h"
#include "host/report/rows.h"

struct result;

struct table_cell {
	double value;		   /* NAN: none */
	char number[NUMBER_BYTES]; /* "1,495", "-", "skip", "FAIL": flush right */
	char tail[NUMBER_BYTES];   /* "+-12", "[1]": flush left behind it */
	char mark[12]; /* who handled the exit, where unlike the row's; a unit */
	/* "+57 (1.06x)": against the benchmark's first config; "": it is that, or ... */
	char against[3 * NUMBER_BYTES];
	bool failed, skipped, interval;
};

struct table_line {
	char *label;		  /* "pmccntr [pmu-off]" */
	const char *handled;	  /* what most of the row's cells say */
	struct table_cell *cells; /* one per document */
};

struct table_model {
	const struct result *const *docs;
	size_t n_docs;
	struct rows rows;
	struct table_line *lines; /* one per row */
	bool compares;		  /* ... configs are not what the table is about */
	char **notes;		  /* note i + 1 is notes[i] */
	size_t n_notes;
};

/* `plus_minus`: the sign before half a confidence interval's width. */
void table_model_build(struct table_model *m, const struct result *const *docs, size_t n,
		       const char *plus_minus);
void table_model_free(struct table_model *m);

/* Whether another document is of the same target: then they go by number. */
bool table_model_shared(const struct table_model *m, size_t d);
const char *table_model_unit(const struct table_model *m, size_t d);

#endif
