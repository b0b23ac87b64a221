/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kinds of pictures draw: grouped bars, the differences of a comparison, and the
 * distribution of events.
 */
#ifndef WS_REPORT_CHARTS_H
#define WS_REPORT_CHARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/stats/summary.h"

struct compare;
struct compare_row;
struct picture;
struct result_benchmark;
struct result_metric;

/* ------------------------------ bars ------------------------------ */

/*
 * Grouped bars: a group per benchmark, with a bar per series (a target, a counter
 * config), on one panel or on two side by side.
 */

#define BARS_PANELS_MAX 2

/* Pixels: a shorter interval is not drawn. */
#define BARS_WHISKER 4

struct bar {
	size_t series, panel;
	double y;      /* centre, downwards from the top of the chart */
	double value;  /* NAN where it failed */
	double figure; /* the value, also where bars_relate() made it a percentage */
	double lo, hi; /* interval, of an exact target a range; NAN: none */
	double figure_lo, figure_hi; /* the same, as `figure` */
	bool failed, exact;
	bool fault; /* the guest took an exception: not the operation's cost */
};

struct bars_group {
	char *label;
	double top, bottom;
};

/* A line of the legend; its letter is beside each bar, for print in grey. */
struct bars_series {
	char *legend;
};

enum bars_axis {
	BARS_AUTO,   /* logarithmic if the longest exit is over 100 times the shortest */
	BARS_LINEAR, /* bars far longer than the others are cut */
	BARS_LOG,
};

struct bars_panel { /* of one unit: units do not share an axis */
	const char *unit;
	const char *metric;
	const char *title; /* NULL: none */
	bool linear;	   /* the axis: from 0; or logarithmic, from `foot` */
	double foot;	   /* where the axis begins */
	double most;	   /* the largest value that is not cut */
	bool cut;	   /* there are larger values */
	size_t n_bars;
};

struct bars_model {
	char *title, *subtitle, *remark;
	struct bars_series *series;
	size_t n_series;
	struct bars_panel panels[BARS_PANELS_MAX];
	size_t n_panels;
	bool one_axis; /* the panels' axes are the same */
	enum bars_axis axis;
	char *relative; /* values are percent of this; NULL: not */
	struct bars_group *groups;
	size_t n_groups;
	struct bar *bars;
	size_t n_bars;
	size_t n_skipped;
	size_t n_no_exit; /* benchmarks that were left out */
	size_t n_no_base; /* ... without a figure of the base */
	double height;	  /* in bars */
};

/* All abort without memory. `legend` must be allocated; the model frees it. */
void bars_add_series(struct bars_model *m, char *legend);

/*
 * Adds a group: benchmarks[s] is the benchmark of series s, or NULL. A group without a
 * figure or a failure is left out. The model frees `label`.
 */
void bars_add_group(struct bars_model *m, char *label,
		    const struct result_benchmark *const *benchmarks, bool exact);

/* Adds a group of which each panel has its own: benchmarks[s * n_panels + panel]. */
void bars_add_split_group(struct bars_model *m, char *label,
			  const struct result_benchmark *const *benchmarks, bool exact);

/*
 * Makes each value a percentage of the value that series base[s] has in the group, for
 * series s. The groups must have these. The model frees `name`, of the base.
 */
void bars_relate(struct bars_model *m, const size_t *base, char *name);

/* Computes axes and remarks; after the last group. */
void bars_settle(struct bars_model *m);
void bars_free(struct bars_model *m);

/* The figure that a panel shows of a benchmark, or NULL. */
const struct result_metric *bars_metric(const struct bars_panel *panel,
					const struct result_benchmark *b);

/* Fills in `p` except its stem and caption. */
void bars_draw(const struct bars_model *m, struct picture *p);

/* ------------------------------ differences ------------------------------ */

/* A comparison as a picture: a row per benchmark with its interval, largest difference
 * first. */

struct differences {
	const char *title, *subtitle;
	const struct compare *compare;
	bool core_first; /* then the other benchmarks */
};

/* The number of rows with a difference; 0: nothing to draw. */
size_t differences_count(const struct compare *c);

/* Fills in `p` except its stem and caption. Aborts without memory. */
void differences_draw(const struct differences *d, struct picture *p);

/* ------------------------------ distributions ------------------------------ */

/* Histograms of boots, merged, and printed as curves. */

/*
 * The events of all valid boots in one histogram; bins are NULL if there are none or if
 * the precisions of boots differ. free(h.bins). Aborts without memory.
 */
struct histogram curve_merge(const struct result_metric *m);

/* The quantile: the least value that a share `q` of the events does not exceed. */
double curve_quantile(const struct histogram *h, double q);

#endif
