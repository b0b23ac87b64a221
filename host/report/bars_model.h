/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grouped bars before they are drawn: a group per benchmark, in it a bar per series
 * (a target, a counter config), on one panel or on two side by side. For bars*.c.
 */
#ifndef WS_VIEW_BARS_MODEL_H
#define WS_VIEW_BARS_MODEL_H

#include <stdbool.h>
#include <stddef.h>

struct picture;
struct result_benchmark;
struct result_metric;

#define BARS_PANELS_MAX 2

struct bar {
	size_t series, panel;
	double y;      /* centre, downwards from the top of the chart */
	double value;  /* NAN where it failed */
	double lo, hi; /* interval; NAN: none */
	bool failed, exact;
};

struct bars_group {
	char *label;
	double top, bottom;
};

struct bars_series {
	char *legend; /* a line of its own below the title */
	char *label;  /* behind each bar; "" where the legend will do */
};

struct bars_panel { /* of one unit: no two share an axis */
	const char *unit;
	const char *metric;
	const char *title; /* NULL: none */
	double foot;	   /* where the logarithmic axis begins */
	double most;	   /* the largest value */
	size_t n_bars;
};

struct bars_model {
	char *title, *subtitle, *remark;
	struct bars_series *series;
	size_t n_series;
	struct bars_panel panels[BARS_PANELS_MAX];
	size_t n_panels;
	struct bars_group *groups;
	size_t n_groups;
	struct bar *bars;
	size_t n_bars;
	size_t n_skipped;
	double height; /* in bars */
};

/* All abort on lack of memory. Both strings are taken over. */
void bars_add_series(struct bars_model *m, char *legend, char *label);

/*
 * A group: benchmarks[s] is what series s has for it, or NULL. One of which no series
 * has a figure in any panel, nor failed, is left out. `label` is taken over.
 */
void bars_add_group(struct bars_model *m, char *label,
		    const struct result_benchmark *const *benchmarks, bool exact);

/* To be called once all groups are in: axes, remarks. */
void bars_settle(struct bars_model *m);
void bars_free(struct bars_model *m);

/* The figure that a panel shows of a benchmark, or NULL. */
const struct result_metric *bars_metric(const struct bars_panel *panel,
					const struct result_benchmark *b);

/* Fills in all of `p` but its stem and caption. */
void bars_draw(const struct bars_model *m, struct picture *p);

#endif
