/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock: an empty region, and reads of the counters. The barriers are the loop's. */
#include "bench/body.h"

/*
 * Nothing. The null phase measures the cost of the clock; this row proves that zero
 * remains when that cost is subtracted.
 */
BODY void null_event(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY void null_twin(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY_ROW(null);

BODY_PAIR(cntvct, "", "mrs x0, cntvct_el0", ::: "x0", "memory")
BODY_ROW(cntvct);

BODY_PAIR(cntpct, "", "mrs x0, cntpct_el0", ::: "x0", "memory")
BODY_ROW(cntpct);
