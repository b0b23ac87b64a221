/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of exact targets: no noise, so that every difference counts. */
#include <math.h>
#include <stdio.h>

#include "host/compare/compare_judge.h"
#include "host/stats/two_sample.h"

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
	row->exact = true;
	row->method = "exact";
	compare_set_difference(row);
	if (row->difference != 0)
		row->verdict = compare_moved(row, row->difference > 0);
	else
		row->verdict = COMPARE_SAME;
	if (row->verdict == COMPARE_SAME)
		remark_mean(row);
}

/*
 * Boots of one run differ where the kernel decides by where its data lie: a branch that
 * depends on an address, a counter's event that another boot finds elsewhere. Every boot
 * lies otherwise, and a change of the kernel moves them all. So what all boots gave is
 * one figure: its range. Ranges that meet are no difference; ranges apart differ by the
 * distance of their nearest ends.
 */
static void judge_ranges(struct compare_row *row)
{
	const struct compare_side *base = &row->base, *new = &row->new;
	bool up = row->lo > 0, down = row->hi < 0;
	double from = up ? base->max : base->min, to = up ? new->min : new->max;
	double chance = stats_apart_by_chance(base->boots, new->boots);

	row->method = "range";
	row->difference = up || down ? to - from : 0;
	if (base->min > 0 && new->min > 0)
		row->ratio = up || down ? to / from : 1;
	row->verdict = up || down ? compare_moved(row, up) : COMPARE_SAME_PLACEMENT;
	/* Two boots that differ say little about where a third would lie. */
	if ((up || down) && chance > COMPARE_ALPHA)
		snprintf(row->reason, sizeof(row->reason),
			 "boots of one run differ: ranges over %zu and %zu boots lie "
			 "apart by chance in up to %.0f %% of comparisons; %zu boots a "
			 "side make that less than 1 %% (--boots)",
			 base->boots, new->boots, 100 * chance,
			 stats_least_values(COMPARE_ALPHA, 1));
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
	if (base->min == base->max && new->min == new->max)
		judge_points(row);
	else
		judge_ranges(row);
	row->shift = row->difference;
	row->shift_ratio = row->ratio;
}
