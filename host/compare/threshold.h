/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a gate lets pass: changes for worse up to a threshold.
 *
 *	1%	20insns	mmio_*=2%	hypercall=0insns
 *
 * A share of the base figure, or an amount in a unit; before it, a pattern of
 * benchmarks (fnmatch(3)). An amount in a unit is for figures in that unit only.
 */
#ifndef WS_CLAIM_THRESHOLD_H
#define WS_CLAIM_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>

struct threshold {
	const char *text;  /* as it was given; the caller's */
	char pattern[128]; /* of benchmarks; "": all that no other pattern names */
	double amount;	   /* percent, or in `unit`; at least 0 */
	const char *unit;  /* "insns", "ticks", "ns", "cycles", "counts"; NULL: percent */
};

/* 0; or -EINVAL with the cause in `why`, without the text itself. */
int threshold_parse(struct threshold *t, const char *text, char *why, size_t bytes);

/*
 * The threshold of a benchmark's figure in a unit, or NULL: one with a pattern comes
 * before one without, and of several the last.
 */
const struct threshold *threshold_find(const struct threshold *list, size_t n,
				       const char *benchmark, const char *unit);

/* Whether a difference from a base figure is no larger than the threshold. */
bool threshold_covers(const struct threshold *t, double difference, double base);

/* Whether its pattern fits the name; whether it fits one of the catalogue's. */
bool threshold_names(const struct threshold *t, const char *benchmark);
bool threshold_names_any(const struct threshold *t);

#endif
