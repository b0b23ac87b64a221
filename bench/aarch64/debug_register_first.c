/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first write of DBGBVR0_EL1 after the vCPU was loaded. KVM lends the debug
 * registers out on demand: the first access traps (MDCR_EL2.TDA), later ones pass until
 * KVM takes them back, which an exit to user space before each event makes it do.
 */
#define BODY_MEASURES 1
#include "bench/aarch64/reload.h"

BODY uint64_t body_measure(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("msr dbgbvr0_el1, xzr" ::: "memory");
	return measure_stop() - start;
}

BODY uint64_t body_measure_twin(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	__asm__ volatile("nop" ::: "memory");
	return measure_stop() - start;
}
