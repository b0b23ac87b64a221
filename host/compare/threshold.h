/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thresholds: changes for worse that do not count.
 *
 *	1%	20insns	mmio_*=2%	hypercall=0insns
 *
 * A share of the base figure, or an amount in a unit, which applies only to figures in
 * that unit; optionally for the benchmarks of an fnmatch(3) pattern.
 */
#ifndef WS_COMPARE_THRESHOLD_H
#define WS_COMPARE_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"

struct threshold {
	const char *text;  /* of the command line; not copied */
	char pattern[128]; /* of benchmarks; "": benchmarks that match no other pattern */
	double amount;	   /* percent, or in `unit`; >= 0 */
	const char *unit;  /* "insns", "ticks", "ns", "cycles", "counts", "traps"; NULL:
			      percent */
};

/* 0, or -EINVAL with `err`: the cause, without the text. */
int threshold_parse(struct threshold *t, const char *text, struct error *err);

/*
 * The threshold for a figure of a benchmark in a unit; NULL: none. A threshold with a
 * pattern has priority over one without; of several, the last.
 */
const struct threshold *threshold_find(const struct threshold *list, size_t n,
				       const char *benchmark, const char *unit);

/* Whether a difference from a base figure is at most the threshold. */
bool threshold_covers(const struct threshold *t, double difference, double base);

/* Whether the pattern matches a benchmark; whether it matches one of the catalogue. */
bool threshold_names(const struct threshold *t, const char *benchmark);
bool threshold_names_any(const struct threshold *t);

#endif
