/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first FP instruction after the vCPU was loaded: FP/SIMD state is switched lazily,
 * so it traps (CPTR_EL2) and the registers of host and guest are exchanged. That is
 * done at EL2, before KVM counts an exit, and lasts until the vCPU is put again: an
 * exit to user space before each event does that.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#include "bench/aarch64/reload.h"

#define CPACR_FPEN (3ull << 20)

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("msr cpacr_el1, %0\n\t"
			 "isb" ::"r"(CPACR_FPEN));
	return BODY_PRESENT;
}

BODY uint64_t body_measure(void)
{
	uint64_t start;

	reload();
	start = measure_start();
	/* D0 is nobody's: the payload is compiled for general registers only. */
	__asm__ volatile("fmov d0, xzr" ::: "memory");
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
