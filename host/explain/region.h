/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timed events in a trace: from one read of the clock to another, as the benchmark's
 * figure is made of them.
 */
#ifndef WS_TRACE_REGION_H
#define WS_TRACE_REGION_H

#include "host/explain/image.h"
#include "host/explain/trace.h"

/* Marks of the payload and of the VMM that runs it, together. */
struct region_marks {
	struct image_mark *list;
	size_t n;
};

struct region {
	size_t begin, end; /* steps: from this one on, up to but without that one */
	size_t recording;  /* the step at which the recording began that it is in */
	uint64_t count;	   /* instructions, as the clock counts them */
	uint64_t path; /* a digest of the instructions: equal ones took the same path */
	unsigned int boot; /* from 0 */
	bool shared;	   /* timed by the clock that host and guest share */
	bool empty;	   /* of the series that measures the clock's own cost */
};

struct regions {
	struct region *list;
	size_t n;
};

/* Why a benchmark's figure is not the length of one stretch; NULL: it is. */
const char *regions_refusal(const char *id);

/*
 * Finds them. `id` is the benchmark's: rows that the host times have their own order of
 * reads. 0; -ENOTSUP: this row's figure is not the length of one stretch, and `*why`
 * says what it is; -ENOMEM. regions_free() in any case.
 */
int regions_find(const struct trace *t, const struct region_marks *marks, const char *id,
		 struct regions *out, const char **why);
void regions_free(struct regions *r);

#endif
