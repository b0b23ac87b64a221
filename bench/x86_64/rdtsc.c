/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDTSC by itself. KVM passes it through on hardware; an exit here means that
 * TSC scaling or a software KVM is in the way.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("rdtsc" ::: "eax", "edx", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "eax", "edx", "memory");
}
