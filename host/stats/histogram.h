/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-linear histogram of signed integers, after HdrHistogram: `bits` bits of
 * precision (1 to HISTOGRAM_BITS_MAX), so bins are exact below 2^bits and never
 * wider than 2^(1-bits) of their value above. Negative values mirror positive
 * ones. Histograms of equal `bits` can be merged. Only bins that hold something
 * are stored, ascending.
 */
#ifndef WS_STATS_HISTOGRAM_H
#define WS_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BITS	   7
#define HISTOGRAM_BITS_MAX 62

struct histogram_bin {
	int64_t low; /* the value in the bin that is nearest to zero */
	uint64_t count;
};

struct histogram {
	unsigned int bits;
	struct histogram_bin *bins; /* owned by whoever built it: free() */
	size_t n_bins;
};

/* The bin that `value` falls into, by its value nearest to zero. */
int64_t histogram_low(int64_t value, unsigned int bits);

/* Values in [low, low + width) away from zero fall into low's bin. */
uint64_t histogram_width(int64_t low, unsigned int bits);

/* 0 or -ENOMEM. `h` need not be initialised; free h->bins afterwards. */
int histogram_build(const int64_t *samples, size_t n, unsigned int bits,
		    struct histogram *h);

/* out = a + b; -EINVAL where bits differ, -ENOMEM. */
int histogram_merge(const struct histogram *a, const struct histogram *b,
		    struct histogram *out);

uint64_t histogram_total(const struct histogram *h);

#endif
