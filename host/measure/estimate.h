/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the boots of a metric to its estimate. For assemble.c. */
#ifndef WS_MEASURE_ESTIMATE_H
#define WS_MEASURE_ESTIMATE_H

#include "host/measure/assemble.h"

/* The step of the clock, in its unit; instructions are counted one by one. */
double estimate_quantum(const struct assembly *a);

/* Over the valid boots of `m`, a metric of `b`: value, intervals, warnings. */
void estimate_metric(const struct assembly *a, const struct result_benchmark *b,
		     struct result_metric *m);

/* The two timing modes must agree, or one of them does not measure what it says. */
void estimate_modes(const struct assembly *a, const struct result_benchmark *b);

#endif
