/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every benchmark under every config of its architecture, with few events. */
#ifndef WS_MEASURE_MATRIX_H
#define WS_MEASURE_MATRIX_H

#include "host/lib/error.h"
#include "host/selftest/selftest.h"
#include "host/targets/target.h"

/*
 * Runs them on an opened target, 20 events each, and reports in TAP: a skipped row is
 * `ok` with its reason; a row that hangs, crashes or does not exit as its row and config
 * claim is `not ok`. Returns the number of failures, or a negative errno with `err`.
 */
int measure_matrix(struct target *t, const struct selftest_watch *watch,
		   struct error *err);

#endif
