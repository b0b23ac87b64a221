/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row claims under a config: bench/effects.def. */
#ifndef WS_MEASURE_UNDER_H
#define WS_MEASURE_UNDER_H

#include "bench/catalogue.h"

/*
 * The row as it is to be proven under `config`. `skip`: why it cannot be run under it,
 * or NULL.
 */
struct bench bench_under(const struct bench *row, const struct config *config,
			 const char **skip);

#endif
