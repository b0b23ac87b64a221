/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPI to another vCPU that is running.
 *
 * On a KVM without VMX or SVM behind it (PVM on Linux 6.18) this does not end: the vector
 * stays in IRR of a target that has RFLAGS.IF set, no interrupt shadow and no other
 * interrupt, over hundreds of exits a second, until somebody kicks it.
 */
#define BODY_HAS_SETUP	   1
#define BODY_MEASURES	   1
#define BODY_HAS_SECONDARY 1
#include "bench/body.h"
#include "bench/x86_64/ipi.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	ipi_setup();
	return BODY_PRESENT;
}

BODY void body_secondary(uint32_t index)
{
	(void)index;
	apic_enable();
	ipi_ready.set = 1;
	__asm__ volatile("sti");
	for (;;)
		ipi_turns.set++;
}

/* The last IPI's handler has returned: the target is in its loop, interrupts let in. */
BODY void wait_until_busy(void)
{
	uint32_t turns = ipi_turns.set;

	while (ipi_turns.set - turns < 2)
		__asm__ volatile("pause");
}

BODY uint64_t body_measure(void)
{
	wait_until_busy();
	return ipi_send();
}

BODY uint64_t body_measure_twin(void)
{
	return ipi_not_send();
}
