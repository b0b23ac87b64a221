/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SGI to another vCPU that runs, which the GIC itself delivers (GICv4.1): ICC_SGI1R_EL1
 * still traps, but no host interrupt stands between the two CPUs. Absent where the
 * distributor does not offer it.
 */
#define BODY_HAS_SETUP	   1
#define BODY_MEASURES	   1
#define BODY_HAS_SECONDARY 1
#include "bench/body.h"
#include "bench/aarch64/ipi.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init() || !gic_deliver_sgis_directly())
		return BODY_ABSENT;
	return ipi_await_target();
}

BODY void body_secondary(uint32_t index)
{
	(void)index;
	ipi_setup_target();
	ipi_loop();
}

BODY uint64_t body_measure(void)
{
	ipi_await_loop();
	return ipi_send();
}

BODY uint64_t body_measure_twin(void)
{
	return ipi_not_send();
}
