/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clean and invalidate by set/way: set 0, way 0, level 1. HCR_EL2.TSW traps
 * it. The first time KVM flushes the VM's memory, which the warm-up takes;
 * from then on it only looks whether it has to.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("dc cisw, xzr" ::: "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "memory");
}
