/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPI to another vCPU that is running. */
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
		__asm__ volatile("");
}

BODY uint64_t body_measure(void)
{
	return ipi_send();
}

BODY uint64_t body_measure_twin(void)
{
	return ipi_not_send();
}
