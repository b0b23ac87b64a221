/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log-linear histogram: bins, building, merging. */
#include "host/stats/histogram.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/*
 * Low bits of a magnitude that its bin ignores: none below 2^bits; above, all but the
 * leading one and the next `bits` - 1 bits, so that an octave has 2^(bits - 1) bins.
 */
static unsigned int ignored_bits(uint64_t mag, unsigned int bits)
{
	unsigned int length = mag ? 64 - (unsigned int)__builtin_clzll(mag) : 0;

	return length > bits ? length - bits : 0;
}

int64_t histogram_low(int64_t value, unsigned int bits)
{
	uint64_t mag = magnitude(value);
	unsigned int ignored = ignored_bits(mag, bits);
	uint64_t low = mag >> ignored << ignored;

	return (int64_t)(value < 0 ? -low : low);
}

uint64_t histogram_width(int64_t low, unsigned int bits)
{
	return UINT64_C(1) << ignored_bits(magnitude(low), bits);
}

static int compare_low(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Adds to the last bin, or appends a bin; `low` never decreases. */
static void add_ascending(struct histogram *h, int64_t low, uint64_t count)
{
	if (h->n_bins && h->bins[h->n_bins - 1].low == low)
		h->bins[h->n_bins - 1].count += count;
	else
		h->bins[h->n_bins++] = (struct histogram_bin){ low, count };
}

static size_t count_distinct(const int64_t *sorted, size_t n)
{
	size_t distinct = 0;

	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || sorted[i] != sorted[i - 1];
	return distinct;
}

int histogram_build(const int64_t *samples, size_t n, unsigned int bits,
		    struct histogram *h)
{
	int64_t *lows;

	*h = (struct histogram){ .bits = bits };
	if (n == 0)
		return 0;

	lows = reallocarray(NULL, n, sizeof(*lows));
	if (!lows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		lows[i] = histogram_low(samples[i], bits);
	qsort(lows, n, sizeof(*lows), compare_low);

	h->bins = reallocarray(NULL, count_distinct(lows, n), sizeof(*h->bins));
	if (!h->bins) {
		free(lows);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		add_ascending(h, lows[i], 1);
	free(lows);
	return 0;
}

int histogram_merge(const struct histogram *a, const struct histogram *b,
		    struct histogram *out)
{
	size_t i = 0, j = 0;

	if (a->bits != b->bits)
		return -EINVAL;
	*out = (struct histogram){ .bits = a->bits };
	if (a->n_bins + b->n_bins == 0)
		return 0;
	out->bins = reallocarray(NULL, a->n_bins + b->n_bins, sizeof(*out->bins));
	if (!out->bins)
		return -ENOMEM;

	while (i < a->n_bins || j < b->n_bins) {
		const struct histogram_bin *bin;

		if (j == b->n_bins || (i < a->n_bins && a->bins[i].low < b->bins[j].low))
			bin = &a->bins[i++];
		else
			bin = &b->bins[j++];
		add_ascending(out, bin->low, bin->count);
	}
	return 0;
}

uint64_t histogram_total(const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i < h->n_bins; i++)
		total += h->bins[i].count;
	return total;
}
