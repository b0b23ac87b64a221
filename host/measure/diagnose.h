/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with the events of boots, if anything, and how sure an estimate is. */
#ifndef WS_MEASURE_DIAGNOSE_H
#define WS_MEASURE_DIAGNOSE_H

#include <stddef.h>
#include <stdint.h>

#include "host/result/result.h"
#include "host/stats/bootstrap.h"

/* Differences below this do not matter: 1 % of a figure, or two steps of the clock. */
double diagnose_band(double figure, double quantum);

/*
 * Fills in boot->steady from `events` in the order of time; the boot's summary is
 * there. 0 or -ENOMEM.
 */
int diagnose_boot(struct result *r, struct result_boot *boot, const int64_t *events,
		  size_t n, double quantum);

/* Warns of what half of the valid boots or more have. */
void diagnose_metric(struct result *r, const struct result_benchmark *b,
		     const struct result_metric *m, double quantum);

/* The events of all valid boots of a row, for the bootstrap. */
struct diagnose_events {
	struct stats_events *boots;
	size_t n;
};

/* 0 or -ENOMEM. Keeps a sorted copy. */
int diagnose_keep(struct diagnose_events *kept, const int64_t *events, size_t n);

/* A second opinion on m->ci, from `kept`; the same seed gives the same. */
void diagnose_bootstrap(const struct diagnose_events *kept, uint64_t seed,
			struct result_metric *m);
void diagnose_forget(struct diagnose_events *kept);

#endif
