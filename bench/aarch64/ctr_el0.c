/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read of CTR_EL0, the cache type: trapped (HCR_EL2.TID2) only where KVM hides
 * the machine's real caches or has no finer trap for them.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mrs x0, ctr_el0" ::: "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "x0", "memory");
}
