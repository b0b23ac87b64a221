/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of statistics: reference data, and comparison of doubles. */
#ifndef WS_TESTS_STATS_FIXTURE_H
#define WS_TESTS_STATS_FIXTURE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "host/tests/reference.h"

#define SAMPLES_MAX 4096

#define expect_near(got, want, tolerance)                                                \
	do {                                                                             \
		double got_ = (got), want_ = (want);                                     \
		cr_expect(fabs(got_ - want_) <= (tolerance)*fmax(1, fabs(want_)),        \
			  "%s: got %.17g, want %.17g", #got, got_, want_);               \
	} while (0)

/* The tolerance for rounding between two correct computations. */
#define expect_close(got, want) expect_near(got, want, 1e-9)

static inline double number(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	cr_assert(json_is_number(value), "no number %s", key);
	return json_number_value(value);
}

static inline size_t doubles(const json_t *array, double *out)
{
	size_t n = json_array_size(array);

	cr_assert(n > 0 && n <= SAMPLES_MAX);
	for (size_t i = 0; i < n; i++)
		out[i] = json_number_value(json_array_get(array, i));
	return n;
}

static inline size_t members(const json_t *object, const char *key, double *out)
{
	return doubles(json_object_get(object, key), out);
}

#endif
