/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a recorded run to an explanation of its figure. */
#ifndef WS_EXPLAIN_EXPLAIN_H
#define WS_EXPLAIN_EXPLAIN_H

#include "bench/catalogue.h"
#include "host/explain/explanation.h"
#include "host/explain/profile.h"
#include "host/explain/symbols.h"
#include "host/explain/trace.h"
#include "host/lib/error.h"

struct explain_input {
	enum arch arch;
	const char *benchmark;
	double round_trip; /* the figure to explain, in instructions */
	struct image payload;
	struct image vmm; /* the program that runs the payload */
	const char *kallsyms;
	size_t kallsyms_bytes;
	bool l1; /* the KVM is in a guest: `kallsyms` has two kernels, as the records */
	bool kinds, timeline;
	const struct touch_caches *touch; /* NULL: not wanted; needs `kinds` */
	struct debuginfo *debuginfo;	  /* for lines of source; NULL: not wanted */
};

/* Sets the switches of the plugin: the marks of the timed phases, without a payload those
 * of the VMM. 0 or -errno. */
int explain_switches(struct capture *c, const struct explain_input *in,
		     struct error *err);

/*
 * Fills in `e` except its subject. 0; -ENOTSUP (the row cannot be explained), -ENODATA
 * (no recorded event has the length of the figure: the figure contains time without
 * instructions), -EOVERFLOW (the trace did not fit), or another negative errno, with
 * `err`.
 */
int explain_build(const struct capture *c, const struct explain_input *in,
		  struct explanation *e, struct error *err);

/* For explain.c: the parts of the document that lines.c fills in. */

/* The kinds in a document. All but the lines, which are counted for functions alone. */
void explain_kinds(struct explanation_kinds *k, const struct profile_counts *c);

/*
 * Adds the instructions of a profile to the stacks of `e`, which are in the order of the
 * profile's nodes. 0, or -ENOEXEC with `err`: debug information is of another kernel.
 */
int lines_fill(struct explanation *e, const struct profile *p, const struct trace *t,
	       const struct symbols *symbols, struct debuginfo *d, bool kinds,
	       struct error *err);

#endif
