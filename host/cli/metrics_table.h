/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every metric of a document, for `wsbench run --metrics`. */
#ifndef WS_CLI_METRICS_TABLE_H
#define WS_CLI_METRICS_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct result;

/*
 * Benchmarks down, metrics across, and below them why an estimate is missing. A metric
 * that no benchmark of the document has takes no column.
 */
void metrics_print(FILE *f, const struct result *r, size_t columns);

#endif
