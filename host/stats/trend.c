/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trends: change points that a straight line explains better than steps. */
#include "host/stats/changepoint.h"

#include <math.h>

/* The values [start, end) without outliers: number, and sums about their first value. */
struct sums {
	double n, x, y, xx, xy, yy;
};

static struct sums sums_of(const double *values, const bool *outlier, size_t start,
			   size_t end)
{
	struct sums s = { 0 };

	for (size_t i = start; i < end; i++) {
		double x = (double)(i - start), y = values[i] - values[start];

		if (outlier && outlier[i])
			continue;
		s.n++;
		s.x += x;
		s.y += y;
		s.xx += x * x;
		s.xy += x * y;
		s.yy += y * y;
	}
	return s;
}

/* Squares about the mean, and about the line of least squares with its slope. */
static double squares_of_mean(const struct sums *s)
{
	return s->n > 0 ? fmax(0, s->yy - s->y * s->y / s->n) : 0;
}

static double squares_of_line(const struct sums *s, double *slope)
{
	double xx = s->xx - s->x * s->x / s->n, xy = s->xy - s->x * s->y / s->n;

	*slope = xx > 0 ? xy / xx : 0;
	return fmax(0, squares_of_mean(s) - *slope * xy);
}

/* Schwarz's criterion: a model with more parameters must explain more. */
static double criterion(double squares, double n, double parameters)
{
	return n * log(squares / n) + parameters * log(n);
}

/* The changes [first, last] of one direction, between the values [start, end). */
static void judge(const double *values, const bool *outlier, size_t start, size_t end,
		  struct changepoint *changes, size_t first, size_t last)
{
	struct sums all = sums_of(values, outlier, start, end);
	double line, steps = 0, slope;

	line = squares_of_line(&all, &slope);
	for (size_t k = first; k <= last + 1; k++) {
		size_t from = k > first ? changes[k - 1].index : start;
		struct sums stretch = sums_of(values, outlier, from,
					      k <= last ? changes[k].index : end);

		steps += squares_of_mean(&stretch);
	}
	/* A step has a place and a height. */
	if (!(steps > 0) ||
	    criterion(line, all.n, 2) >=
		    criterion(steps, all.n, 1 + 2 * (double)(last - first + 1)))
		return;
	for (size_t k = first; k <= last; k++)
		changes[k].trend = slope;
}

static bool is_up(const struct changepoint *c)
{
	return c->after > c->before;
}

void changepoint_trends(const double *values, const bool *outlier, size_t n, size_t near,
			struct changepoint *changes, size_t n_changes)
{
	for (size_t first = 0, last; first < n_changes; first = last + 1) {
		size_t start = first ? changes[first - 1].index : 0, end;

		last = first;
		while (last + 1 < n_changes && !changes[last + 1].single &&
		       is_up(&changes[last + 1]) == is_up(&changes[first]) &&
		       changes[last + 1].index - changes[last].index <= 2 * near)
			last++;
		end = last + 1 < n_changes ? changes[last + 1].index : n;
		if (changes[first].index - start > near)
			start = changes[first].index - near;
		if (end - changes[last].index > near)
			end = changes[last].index + near;
		if (!changes[first].single)
			judge(values, outlier, start, end, changes, first, last);
	}
}
