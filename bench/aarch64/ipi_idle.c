/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SGI to another vCPU that waits in WFI: KVM must wake its thread. Whether the thread
 * already sleeps or KVM still polls for work on its behalf is the host's choice
 * (halt_poll_ns); the body waits until the WFI is under way.
 */
#define BODY_HAS_SETUP	   1
#define BODY_MEASURES	   1
#define BODY_HAS_SECONDARY 1
#include "bench/body.h"
#include "bench/aarch64/ipi.h"

#define WAITS_PER_SECOND 20000 /* 50 us */

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	return ipi_setup();
}

/* Ready once per WFI, which a pending interrupt ends also while it is masked. */
BODY void body_secondary(uint32_t index)
{
	(void)index;
	ipi_setup_target();
	for (;;) {
		__asm__ volatile("msr daifset, #2" ::: "memory");
		ipi_ready.set = 1;
		__asm__ volatile("dsb ish\n\t"
				 "wfi\n\t"
				 "msr daifclr, #2\n\t"
				 "isb" ::
					 : "memory");
	}
}

BODY void wait_until_idle(void)
{
	uint64_t end;

	while (!ipi_ready.set)
		ipi_relax();
	end = clock_start() + clock_hz() / WAITS_PER_SECOND;
	while (clock_start() < end)
		;
	ipi_ready.set = 0;
}

BODY uint64_t body_measure(void)
{
	wait_until_idle();
	return ipi_send();
}

BODY uint64_t body_measure_twin(void)
{
	return ipi_not_send();
}
