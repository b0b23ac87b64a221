/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the boots of two figures to a row's interval and verdict. For compare*.c. */
#ifndef WS_CLAIM_COMPARE_JUDGE_H
#define WS_CLAIM_COMPARE_JUDGE_H

#include "host/claim/compare.h"

/* Fills in all of a row of an exact target from its two sides. */
void compare_judge_exact(struct compare_row *row);

#endif
