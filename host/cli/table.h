/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table a run ends with: benchmarks down, targets across, and below it what
 * the numbers mean and why some are missing.
 */
#ifndef WS_CLI_TABLE_H
#define WS_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/grid.h"

struct result;

/*
 * Prints `n` documents, one per target, as one table, or as several where one
 * would be too wide. Errors of `f` stay in ferror(f).
 */
void table_print(FILE *f, const struct result *const *docs, size_t n,
		 const struct table_options *o);

#endif
