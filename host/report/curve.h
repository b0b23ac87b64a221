/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merges the histograms of boots and prints them as curves. */
#ifndef WS_REPORT_CURVE_H
#define WS_REPORT_CURVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/stats/summary.h"

struct result_metric;

/*
 * The events of all valid boots in one histogram; bins are NULL if there are none or if
 * the precisions of boots differ. free(h.bins). Aborts without memory.
 */
struct histogram curve_merge(const struct result_metric *m);

/* The quantile: the least value that a share `q` of the events does not exceed. */
double curve_quantile(const struct histogram *h, double q);

/*
 * Prints lines "x percent": the share of the events that are at most x (rising), or at
 * least x (falling). A few thousand lines at most.
 */
void curve_print_cumulative(FILE *f, const struct histogram *h, double from);
void curve_print_tail(FILE *f, const struct histogram *h);

#endif
