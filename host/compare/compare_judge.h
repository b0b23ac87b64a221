/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the boots of two figures to a row's interval and verdict. For compare*.c. */
#ifndef WS_CLAIM_COMPARE_JUDGE_H
#define WS_CLAIM_COMPARE_JUDGE_H

#include "host/compare/compare.h"

/* A p is significant up to here, after Holm. */
#define COMPARE_ALPHA 0.01

/* Fills in all of a row of an exact target from its two sides. */
void compare_judge_exact(struct compare_row *row);

/*
 * The same of noisy ones, in two steps: each row's interval and p; then, when all
 * rows have theirs, Holm's correction and the verdicts. `quantum` is the step of the
 * clock, in the row's unit.
 */
void compare_measure_noisy(const struct compare *c, struct compare_row *row,
			   double quantum);
void compare_judge_noisy(struct compare *c);

/* The difference and the ratio of the two figures themselves. */
void compare_set_difference(struct compare_row *row);

/* COMPARE_WORSE or COMPARE_BETTER, by which way is better. */
enum compare_verdict compare_moved(const struct compare_row *row, bool up);

#endif
