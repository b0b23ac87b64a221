/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-linear histogram of signed integers, after HdrHistogram, with `bits` bits of
 * precision (1 to HISTOGRAM_BITS_MAX): bins are exact below 2^bits, and at most
 * 2^(1-bits) of their value wide above. Negative values mirror positive values.
 * Histograms of equal `bits` can be merged. Bins are ascending; empty bins are not
 * stored. Pure functions, no I/O.
 */
#ifndef WS_STATS_HISTOGRAM_H
#define WS_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BITS	   7
#define HISTOGRAM_BITS_MAX 62

struct histogram_bin {
	int64_t low; /* the value of the bin nearest to zero */
	uint64_t count;
};

struct histogram {
	unsigned int bits;
	struct histogram_bin *bins; /* free() */
	size_t n_bins;
};

/* The `low` of the bin of a value. */
int64_t histogram_low(int64_t value, unsigned int bits);

/* The width of a bin, from `low` away from zero. */
uint64_t histogram_width(int64_t low, unsigned int bits);

/* Builds `h`; free h->bins. 0 or -ENOMEM. */
int histogram_build(const int64_t *samples, size_t n, unsigned int bits,
		    struct histogram *h);

/* out = a + b. 0; -EINVAL: `bits` differ; -ENOMEM. */
int histogram_merge(const struct histogram *a, const struct histogram *b,
		    struct histogram *out);

uint64_t histogram_total(const struct histogram *h);

#endif
