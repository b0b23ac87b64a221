/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench power`: the noise of each row, split into event, boot and run, and what a
 * change must be to be found.
 *
 * From documents: what `compare` finds between two sides of such runs. From a history:
 * what `history check` finds after a step.
 */
#ifndef WS_HISTORY_POWER_H
#define WS_HISTORY_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/history/history.h"
#include "host/lib/error.h"
#include "host/result/result.h"

/* Changes for which the page gives the number of boots or runs. */
#define POWER_CHANGES  3
#define POWER_RUNS_MAX 1000
extern const double power_changes[POWER_CHANGES]; /* 0.01, 0.02, 0.05 */

struct power_row {
	const char *target, *name, *config, *metric, *unit;
	double value; /* median of the runs */
	/* Relative standard deviations; NAN: unknown. */
	double event;	    /* of one event, by the median absolute deviation */
	double boot;	    /* of a boot's median */
	double run;	    /* of what differs from run to run, without the boots */
	size_t runs, boots; /* measured: runs; boots of a run, median */
	double figure;	    /* of a run's figure; of a history */
	double seen;	    /* least relative change that is found; NAN: none */
	double need[POWER_CHANGES]; /* boots, or runs; NAN: none find it */
	double band;		    /* smaller changes are not reported */
};

struct power_page {
	struct power_row *rows;
	size_t n_rows;
	size_t exact; /* rows of exact targets: any change is found */
	size_t few;   /* rows with too few boots or runs to know the noise, or near 0 */
	bool by_runs; /* `need` counts runs, not the boots of one run */
	bool of_history;
	size_t runs, boots; /* of a side; after a step of a history */
	size_t shown;	    /* documents that show the noise */
};

/* 0 of `runs` and `boots`: as measured; of a history: 5 runs. */
struct power_query {
	const struct history_query *select;
	uint64_t runs, boots;
};

/*
 * 0; -EINVAL with `err`: the documents are of different targets or machines; -ENODATA
 * with `err`: no row is selected. power_free() after success.
 */
int power_of_documents(struct result *const *docs, size_t n, const struct power_query *q,
		       struct power_page *page, struct error *err);
int power_of_history(const struct history *h, const struct power_query *q,
		     struct power_page *page, struct error *err);
void power_free(struct power_page *page);

/* On stdout. */
void power_print(const struct power_page *page);
void power_json(const struct power_page *page);

#endif
