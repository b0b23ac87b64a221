/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPI to another vCPU that has halted: KVM must wake its thread. Whether the thread
 * already sleeps or KVM still polls for work on its behalf is the host's choice
 * (halt_poll_ns); the body waits until the halt is under way.
 */
#define BODY_HAS_SETUP	   1
#define BODY_MEASURES	   1
#define BODY_HAS_SECONDARY 1
#include "bench/body.h"
#include "bench/x86_64/ipi.h"

#define WAIT_TICKS 50000

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	ipi_setup();
	return BODY_PRESENT;
}

/* Ready once per halt; STI lets nothing in before the HLT. */
BODY void body_secondary(uint32_t index)
{
	(void)index;
	apic_enable();
	for (;;) {
		__asm__ volatile("cli");
		ipi_ready.set = 1;
		__asm__ volatile("sti\n\t"
				 "hlt" ::
					 : "memory");
	}
}

BODY void wait_until_halted(void)
{
	uint64_t end;

	while (!ipi_ready.set)
		;
	end = clock_start() + WAIT_TICKS;
	while (clock_start() < end)
		;
	ipi_ready.set = 0;
}

BODY uint64_t body_measure(void)
{
	wait_until_halted();
	return ipi_send();
}

BODY uint64_t body_measure_twin(void)
{
	return ipi_not_send();
}
