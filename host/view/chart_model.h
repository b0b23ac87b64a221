/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one bar chart shows, before it is drawn. For chart*.c. */
#ifndef WS_VIEW_CHART_MODEL_H
#define WS_VIEW_CHART_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct result;

struct chart_bar {
	size_t doc;    /* index into the model's documents */
	double y;      /* centre, downwards from the top of the chart */
	double value;  /* NAN where it failed */
	double lo, hi; /* interval; NAN: none */
	bool failed;
};

struct chart_group { /* the bars of one benchmark under one config */
	char *label;
	double top, bottom;
};

struct chart_model {
	const char *unit;
	const struct result **docs; /* those of this unit */
	size_t n_docs;
	struct chart_bar *bars;
	size_t n_bars;
	struct chart_group *groups;
	size_t n_groups;
	size_t n_skipped;
	double height; /* in bars */
	double foot;   /* where the logarithmic axis begins */
	double most;   /* the largest value */
};

/* Aborts on lack of memory. A model without bars has nothing to draw. */
void chart_model_build(struct chart_model *m, const char *unit,
		       const struct result *const *docs, size_t n);
void chart_model_free(struct chart_model *m);

/* The size of a picture of it, before any scale of the terminal's. */
#define CHART_WIDTH 1280u
unsigned int chart_model_height(const struct chart_model *m);

/* The gnuplot commands that draw it, but for `set terminal` and `set output`. */
void chart_script(FILE *f, const struct chart_model *m);

#endif
