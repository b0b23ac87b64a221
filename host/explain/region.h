/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timed events in a trace: from one read of the clock to the next, as the benchmark
 * computes its figure.
 */
#ifndef WS_EXPLAIN_REGION_H
#define WS_EXPLAIN_REGION_H

#include "host/explain/image.h"
#include "host/explain/trace.h"

/* The marks of the payload and of the VMM. */
struct region_marks {
	struct image_mark *list;
	size_t n;
};

struct region {
	size_t begin, end; /* steps: [begin, end) */
	size_t recording;  /* the first step of its recording */
	uint64_t count;	   /* instructions, as the clock counts them */
	uint64_t path;	   /* a hash of the instructions: equal hashes are equal paths */
	unsigned int boot; /* from 0 */
	bool shared;	   /* timed by the clock that host and guest share */
	bool empty;	   /* of the series NULL, the cost of reading the clock */
};

struct regions {
	struct region *list;
	size_t n;
};

/* Why a benchmark's figure is not the length of one part of a trace; NULL: it is. */
const char *regions_refusal(const char *id);

/*
 * Finds the timed events of benchmark `id`: host-timed rows have their own order of reads
 * (host/targets/rows.h). 0; -ENOTSUP with `*why`: the figure is not the length of one
 * part of a trace; -ENOMEM. regions_free() in any case.
 */
int regions_find(const struct trace *t, const struct region_marks *marks, const char *id,
		 struct regions *out, const char **why);
void regions_free(struct regions *r);

#endif
