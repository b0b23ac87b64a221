/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM's self-tests: real guests on this machine's KVM, for what no benchmark would
 * notice. Reported in TAP (version 13): a plan, then a line per test.
 */
#ifndef WS_TARGET_SELFTEST_H
#define WS_TARGET_SELFTEST_H

#include <stddef.h>

#include "bench/catalogue.h"

/* Of no table: measure_matrix(), which needs all of measure/. */
#define SELFTEST_MATRIX "matrix"

struct selftest_watch {
	void *ctx;
	void (*line)(void *ctx, const char *text); /* no newline */
};

/*
 * Runs the tests of these names, or all of this architecture's. How many failed;
 * -ENODEV and so on, with `why`, if there is no KVM; -ENOENT for an unknown name.
 */
int selftest_run(const char *const *names, size_t n, const struct selftest_watch *watch,
		 char *why, size_t why_bytes);

/* The names there are, one by one; NULL after the last. */
const char *selftest_name(size_t i);

#endif
