/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the log-linear histogram. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/stats/summary.h"

/* Powers of two and their neighbours, of both signs: the edges of bins. */
static size_t edge_values(int64_t *out)
{
	size_t n = 0;

	out[n++] = 0;
	out[n++] = INT64_MIN;
	for (int e = 0; e < 63; e++)
		for (int64_t d = -1; d <= 1; d++) {
			int64_t value = (INT64_C(1) << e) + d;

			out[n++] = value;
			out[n++] = -value;
		}
	out[n++] = INT64_MAX;
	out[n++] = INT64_MAX - 1;
	return n;
}

/* Small, large and negative values, reproducible. */
static void mixed_samples(int64_t *out, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		out[i] = (int64_t)seed >> (seed >> 58);
	}
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static void expect_same(const struct histogram *a, const struct histogram *b)
{
	cr_expect_eq(a->bits, b->bits);
	cr_assert_eq(a->n_bins, b->n_bins);
	for (size_t i = 0; i < a->n_bins; i++) {
		cr_expect_eq(a->bins[i].low, b->bins[i].low);
		cr_expect_eq(a->bins[i].count, b->bins[i].count);
	}
}

Test(histogram, exact_below_2_to_the_bits)
{
	for (int64_t value = -127; value <= 127; value++) {
		cr_expect_eq(histogram_low(value, 7), value);
		cr_expect_eq(histogram_width(value, 7), 1);
	}
}

/* 7 bits: 64 bins to the octave, so 1495 = 1024 + 29 * 16 + 7 is in a bin of 16. */
Test(histogram, by_hand)
{
	cr_expect_eq(histogram_low(128, 7), 128);
	cr_expect_eq(histogram_low(129, 7), 128);
	cr_expect_eq(histogram_low(130, 7), 130);
	cr_expect_eq(histogram_width(128, 7), 2);
	cr_expect_eq(histogram_low(1495, 7), 1488);
	cr_expect_eq(histogram_width(1488, 7), 16);
	cr_expect_eq(histogram_low(INT64_MIN, 7), INT64_MIN);
}

Test(histogram, bins_contain_their_values_and_are_symmetric)
{
	int64_t values[400];
	size_t n = edge_values(values);

	for (unsigned int bits = 1; bits <= HISTOGRAM_BITS_MAX; bits++)
		for (size_t i = 0; i < n; i++) {
			int64_t low = histogram_low(values[i], bits);
			uint64_t width = histogram_width(low, bits);
			uint64_t mag = magnitude(values[i]), from = magnitude(low);

			cr_expect(from <= mag && mag - from < width,
				  "%lld is not in its bin", (long long)values[i]);
			cr_expect_eq(histogram_low(low, bits), low, "low is its own");
			if (width > 1)
				cr_expect_leq(width, from >> (bits - 1), "too wide");
			if (values[i] != INT64_MIN)
				cr_expect_eq(histogram_low(-values[i], bits), -low);
		}
}

/* Bins are contiguous over more than two octaves. */
Test(histogram, bins_have_no_gap)
{
	for (int64_t low = 1; low < 100000;) {
		int64_t end = low + (int64_t)histogram_width(low, 7);

		cr_expect_eq(histogram_low(end - 1, 7), low);
		cr_expect_eq(histogram_low(end, 7), end);
		low = end;
	}
}

Test(histogram, counts_samples)
{
	int64_t samples[] = { 1495, -3, 5, 1490, 5, 1504, -3, 5 };
	static const struct histogram_bin want[] = {
		{ -3, 2 },
		{ 5, 3 },
		{ 1488, 2 },
		{ 1504, 1 },
	};
	struct histogram h;

	cr_assert_eq(histogram_build(samples, 8, 7, &h), 0);
	cr_assert_eq(h.n_bins, 4);
	cr_expect_eq(memcmp(h.bins, want, sizeof(want)), 0);
	cr_expect_eq(histogram_total(&h), 8);
	cr_expect_eq(samples[0], 1495, "the samples stay as they were");
	free(h.bins);
}

Test(histogram, empty)
{
	struct histogram h, merged;

	cr_assert_eq(histogram_build(NULL, 0, 7, &h), 0);
	cr_expect_eq(h.n_bins, 0);
	cr_expect_eq(h.bits, 7);
	cr_expect_eq(histogram_total(&h), 0);
	cr_assert_eq(histogram_merge(&h, &h, &merged), 0);
	cr_expect_eq(merged.n_bins, 0);
	free(merged.bins);
	free(h.bins);
}

/* Merging two halves equals building from all samples, in both orders. */
Test(histogram, merge_equals_building_from_all)
{
	enum { N = 5000, HALF = 1700 };
	static int64_t samples[N];
	struct histogram whole, a, b, ab, ba;

	mixed_samples(samples, N, 1);
	cr_assert_eq(histogram_build(samples, N, 7, &whole), 0);
	cr_assert_eq(histogram_build(samples, HALF, 7, &a), 0);
	cr_assert_eq(histogram_build(samples + HALF, N - HALF, 7, &b), 0);
	cr_assert_eq(histogram_merge(&a, &b, &ab), 0);
	cr_assert_eq(histogram_merge(&b, &a, &ba), 0);
	expect_same(&ab, &whole);
	expect_same(&ba, &whole);
	cr_expect_eq(histogram_total(&ab), N);
	for (size_t i = 1; i < ab.n_bins; i++)
		cr_expect_lt(ab.bins[i - 1].low, ab.bins[i].low);
	free(whole.bins);
	free(a.bins);
	free(b.bins);
	free(ab.bins);
	free(ba.bins);
}

Test(histogram, unequal_bits_do_not_merge)
{
	int64_t sample = 1;
	struct histogram a, b, out;

	cr_assert_eq(histogram_build(&sample, 1, 7, &a), 0);
	cr_assert_eq(histogram_build(&sample, 1, 8, &b), 0);
	cr_expect_eq(histogram_merge(&a, &b, &out), -EINVAL);
	free(a.bins);
	free(b.bins);
}
