/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the histograms of boots to curves of how events are distributed. */
#ifndef WS_VIEW_CURVE_H
#define WS_VIEW_CURVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/stats/histogram.h"

struct result_metric;

/*
 * All events of the valid boots in one histogram; bins NULL where there are none, or
 * where boots differ in precision. free(h.bins). Aborts on lack of memory.
 */
struct histogram curve_merge(const struct result_metric *m);

/* The least value of which a share of `q` of the events are no larger. */
double curve_quantile(const struct histogram *h, double q);

/*
 * Lines "x percent" of the events that are at most x (rising), and at least x
 * (falling). No more than a few thousand, whatever the histogram has.
 */
void curve_print_cumulative(FILE *f, const struct histogram *h, double from);
void curve_print_tail(FILE *f, const struct histogram *h);

#endif
