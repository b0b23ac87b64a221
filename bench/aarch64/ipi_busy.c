/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SGI to another vCPU that runs: KVM must kick it out of the guest, or its CPU's GIC. */
#define BODY_HAS_SETUP	   1
#define BODY_MEASURES	   1
#define BODY_HAS_SECONDARY 1
#include "bench/body.h"
#include "bench/aarch64/ipi.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	return ipi_setup();
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
