/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an exit costs at least, what it costs with KVM, and what it costs a guest of a
 * guest: rows of the group `nested` on a bare machine, the rows of the same operations in
 * a VM, and the nested rows in the VM.
 */
#ifndef WS_REPORT_FLOOR_H
#define WS_REPORT_FLOOR_H

#include <stddef.h>
#include <stdio.h>

#include "host/report/plots.h"

struct result_benchmark;
struct table;
struct table_options;

/* Figures of one operation and one document with a hypervisor, at least two of three. */
struct floor_row {
	const char *operation; /* the benchmark without nesting */
	const char *nested;    /* the nested benchmark */
	const struct result *doc;
	/* NULL: no figure. `floor` is of another document, of a bare machine. */
	const struct result_benchmark *floor, *kvm, *twice;
};

struct floor {
	struct floor_row *rows; /* in the order of floor_pairs, then of the documents */
	size_t n;
};

/* A nested benchmark, and the benchmark of the operation without nesting. */
struct floor_pair {
	const char *nested, *operation;
};

/* Ends with a row whose names are NULL. */
extern const struct floor_pair floor_pairs[];

/* Aborts without memory. The documents must outlive the rows. */
void floor_collect(struct floor *f, const struct plot_input *in);
void floor_free(struct floor *f);

/*
 * Initialises and fills in `t`: the rows of one document, or of all (NULL) with a column
 * of the targets.
 */
void floor_table(struct table *t, const struct floor *f, const struct plot_input *in,
		 const struct result *doc);

/* A table per document below the target's name: a narrow terminal has room for it. */
void floor_print(FILE *to, const struct floor *f, const struct plot_input *in,
		 const struct table_options *o);

#endif
