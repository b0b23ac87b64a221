/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a recorded run to an explanation of its figure. */
#ifndef WS_TRACE_EXPLAIN_H
#define WS_TRACE_EXPLAIN_H

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/explain/explanation.h"
#include "host/explain/capture.h"

struct explain_input {
	enum arch arch;
	const char *benchmark;
	double round_trip; /* what is to be explained, in instructions */
	struct image payload;
	struct image vmm; /* the program that ran it */
	const char *kallsyms;
	size_t kallsyms_bytes;
	bool kinds;
};

/* Tells the plugin where to record: within the marks of the timed phases. 0 or -errno. */
int explain_switches(struct capture *c, const struct explain_input *in,
		     struct error *err);

/*
 * Fills in everything of `e` but what it is an explanation of. 0; -ENOTSUP (this row
 * cannot be explained), -ENODATA (no recorded event is what the figure says: it is not
 * made of instructions alone), -EOVERFLOW (it did not fit), or another negative errno,
 * with `err`.
 */
int explain_build(const struct capture *c, const struct explain_input *in,
		  struct explanation *e, struct error *err);

#endif
