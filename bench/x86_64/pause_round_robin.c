/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two vCPUs hand a turn to each other, each waiting for it with PAUSE: where pause-loop
 * exiting is on, it steps in when the other one does not run.
 */
#define BODY_HAS_SECONDARY 1
#include "bench/body.h"

static volatile struct {
	uint32_t turn; /* 0: the boot CPU's */
} round __attribute__((aligned(64)));

BODY void body_secondary(uint32_t index)
{
	(void)index;
	for (;;) {
		while (!round.turn)
			__asm__ volatile("pause");
		round.turn = 0;
	}
}

BODY void body(void)
{
	round.turn = 1;
	while (round.turn)
		__asm__ volatile("pause");
}

BODY void body_twin(void)
{
	round.turn = 0;
	while (round.turn)
		__asm__ volatile("pause");
}
