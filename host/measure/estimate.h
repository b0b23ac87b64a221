/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boots of a metric to its estimate: value, intervals, and warnings about events
 * that are not steady.
 */
#ifndef WS_MEASURE_ESTIMATE_H
#define WS_MEASURE_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/result/result.h"
#include "host/stats/bootstrap.h"

/* What an estimate depends on beside the boots. */
struct estimate {
	struct result *result;
	bool exact;
	bool repeats;	/* boots of an exact target must agree */
	double quantum; /* the step of the clock, in its unit */
	uint64_t seed;	/* of the bootstrap */
	/* Sorted events of all valid boots of the row, for the bootstrap. */
	struct stats_events *boots;
	size_t n_boots;
};

/*
 * Fills in boot->steady from `events` in the order of time; the boot has its summary.
 * 0 or -ENOMEM.
 */
int estimate_steady(const struct estimate *e, struct result_boot *boot,
		    const int64_t *events, size_t n);

/* Keeps a sorted copy of a valid boot's events. 0 or -ENOMEM. */
int estimate_keep(struct estimate *e, const int64_t *events, size_t n);
void estimate_forget(struct estimate *e);

/* Over the valid boots of `m`, a metric of `b`: value, intervals, warnings. */
void estimate_metric(const struct estimate *e, const struct result_benchmark *b,
		     struct result_metric *m);

/* Warns if the two timing modes disagree: one of them does not measure the row. */
void estimate_modes(const struct estimate *e, const struct result_benchmark *b);

#endif
