/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of exact targets: no noise, so that every difference counts. */
#include <math.h>
#include <stdio.h>

#include "host/claim/compare_judge.h"

/*
 * Rows that a driver times work on the host's state, which no two boots leave alike:
 * an exact target repeats the whole run, not each boot of it. Two boots a side are too
 * few for a test. That all of one lie beyond all of the other happens by chance in a
 * third of cases; that they do so by more than RANGE_CLEAR times the wider range, in
 * one of a hundred (simulated: normal, uniform and exponential noise, two boots).
 */
#define RANGE_CLEAR 5

/* Ranges that lie within this share of the figure are the same. */
#define RANGE_BAND 0.01

/* What the median does not show: some events took another path. */
static void remark_mean(struct compare_row *row)
{
	double base = row->base.metric->boots[0].summary.mean;
	double new = row->new.metric->boots[0].summary.mean;

	if (base != new)
		snprintf(row->reason, sizeof(row->reason),
			 "the median is the same, the mean of the events went from %.2f "
			 "to %.2f",
			 base, new);
}

static void judge_points(struct compare_row *row)
{
	row->method = "exact";
	if (row->difference != 0)
		row->verdict = compare_moved(row, row->difference > 0);
	else
		row->verdict = COMPARE_SAME;
	if (row->verdict == COMPARE_SAME)
		remark_mean(row);
}

static void judge_ranges(struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;
	bool alike =
		base->min == new->min && base->max == new->max && row->difference == 0;
	double clear = RANGE_CLEAR * fmax(base->max - base->min, new->max - new->min);

	row->method = "range";
	row->band = RANGE_BAND * fabs(base->value);
	if (row->lo > clear || row->hi < -clear)
		row->verdict = compare_moved(row, row->lo > 0);
	else if (alike || (row->lo >= -row->band && row->hi <= row->band))
		row->verdict = COMPARE_SAME;
	else
		row->verdict = COMPARE_INCONCLUSIVE;
	if (row->verdict == COMPARE_INCONCLUSIVE)
		snprintf(row->reason, sizeof(row->reason),
			 "boots of one run differ, the two runs by less than %d times as "
			 "much; a test takes at least %d boots a side (--boots)",
			 RANGE_CLEAR, COMPARE_BOOTS_LEAST);
}

void compare_judge_exact(struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;

	row->lo = new->min - base->max;
	row->hi = new->max - base->min;
	if (base->min > 0 && new->min > 0) {
		row->ratio_lo = new->min / base->max;
		row->ratio_hi = new->max / base->min;
	}
	row->level = 1;
	row->exact = row->lo == row->hi;
	if (row->exact)
		judge_points(row);
	else
		judge_ranges(row);
}
