/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outliers of a series: values that are far from the values on both sides. */
#include "host/stats/changepoint.h"

#include <math.h>
#include <string.h>

#include "host/stats/summary.h"

/* An outlier is this many standard deviations from the values on both sides. */
#define REACH 4
/* Values on each side: two outliers that are neighbours are found. */
#define NEAR  3
/*
 * If more values of a block are far from both sides, or the values go up and down more
 * often than so many outliers would, these are modes, not outliers.
 */
#define SHARE 10

/*
 * The standard deviation is that of the differences of neighbours, by their median:
 * neither steps nor outliers change it much. `n` >= 2.
 */
static double reach_of(const double *values, size_t n, double floor, double *work)
{
	for (size_t i = 0; i + 1 < n; i++)
		work[i] = fabs(values[i + 1] - values[i]);
	return REACH * fmax(1.4826 * M_SQRT1_2 * stats_median(work, n - 1), floor);
}

static double median_of_near(const double *values, size_t n)
{
	if (n == 1)
		return values[0];
	if (n == 2)
		return (values[0] + values[1]) / 2;
	return fmax(fmin(values[0], values[1]),
		    fmin(fmax(values[0], values[1]), values[2]));
}

static bool is_beyond(double value, double before, double after, double reach)
{
	return value - fmax(before, after) > reach || fmin(before, after) - value > reach;
}

/*
 * The first two values have later values on both sides, so that a pair of outliers is
 * found there, too. The newest value has its neighbour on both sides: two values of a
 * change are not isolated.
 */
static bool is_isolated(const double *values, size_t n, size_t i, double reach)
{
	const double *near = i < 2 ? values + NEAR : values;
	size_t left = i < 2 || i > NEAR ? NEAR : i;
	size_t right = n - 1 - i < NEAR ? n - 1 - i : NEAR;
	double after;

	if (i > NEAR)
		near = values + i - NEAR;
	after = right ? median_of_near(values + i + 1, right) : values[n - 2];
	return is_beyond(values[i], median_of_near(near, left), after, reach);
}

void outliers_mark(const double *values, size_t n, size_t start, size_t end, double floor,
		   double *work, bool *outlier)
{
	const double reach = reach_of(values + start, end - start, floor, work);
	size_t many = 0, jumps = 0;

	for (size_t i = start; i < end; i++) {
		outlier[i] = is_isolated(values, n, i, reach);
		many += outlier[i];
		jumps += i + 1 < end && fabs(values[i + 1] - values[i]) > reach;
	}
	/* An outlier is a jump up and a jump down. */
	many = many > jumps / 2 ? many : jumps / 2;
	if (many > 2 && many * SHARE > end - start)
		memset(outlier + start, 0, (end - start) * sizeof(*outlier));
}

size_t outliers_drop(const double *values, size_t n, bool *aside, double *out)
{
	const double reach = n < 2 ? 0 : reach_of(values, n, 0, out);
	size_t many = 0, kept = 0;

	memset(aside, 0, n * sizeof(*aside));
	for (size_t i = 1; i + 1 < n; i++) {
		size_t left = i < NEAR ? i : NEAR;
		size_t right = n - 1 - i < NEAR ? n - 1 - i : NEAR;

		aside[i] = is_beyond(values[i], median_of_near(values + i - left, left),
				     median_of_near(values + i + 1, right), reach);
		many += aside[i];
	}
	for (size_t i = 0; i < n; i++)
		if (!aside[i] || (many > 1 && SHARE * many > n))
			out[kept++] = values[i];
	return kept;
}
