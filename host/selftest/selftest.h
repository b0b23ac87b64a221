/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The self-tests of the VMM: guests on this machine's KVM that find errors that no
 * benchmark would show. Reported in TAP (version 13): a plan, then a line per test.
 */
#ifndef WS_SELFTEST_SELFTEST_H
#define WS_SELFTEST_SELFTEST_H

#include <stddef.h>

#include "bench/catalogue.h"

/* Not in the table: measure_matrix() and measure_pmu_tests() of host/measure/. */
#define SELFTEST_MATRIX "matrix"
#define SELFTEST_PMU	"pmu"

struct selftest_watch {
	void *ctx;
	void (*line)(void *ctx, const char *text); /* no newline */
};

/* The first name that is not a test's, or NULL. */
const char *selftest_unknown(const char *const *names, size_t n);

/* Runs the named tests, or all tests of this architecture, on the KVM of a descriptor. */
void selftest_run(int kvm_fd, const char *const *names, size_t n,
		  const struct selftest_watch *watch);

/* Name number `i`; NULL after the last. */
const char *selftest_name(size_t i);

#endif
