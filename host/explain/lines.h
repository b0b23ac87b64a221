/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions of an explanation one by one, with their lines of source. */
#ifndef WS_EXPLAIN_LINES_H
#define WS_EXPLAIN_LINES_H

#include "host/explain/debuginfo.h"
#include "host/explain/explanation.h"
#include "host/explain/profile.h"

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
