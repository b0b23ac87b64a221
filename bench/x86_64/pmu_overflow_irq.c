/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profiler's interrupt: a counter overflows while the guest runs, the host's counter
 * behind it interrupts the host, and KVM injects the guest's interrupt. Timed
 * from the interrupted code's last look at the clock to the handler's first; how far the
 * counter was past its overflow by then is pmu_overflow_skid's.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#include "bench/x86_64/overflow.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	return overflow_setup(params);
}

BODY uint64_t body_measure(void)
{
	const struct overflow o = overflow_wait();

	return o.handled - o.before;
}

/* Two looks at the clock, and nothing between them. */
BODY uint64_t body_measure_twin(void)
{
	uint64_t before = clock_start();

	return clock_stop() - before;
}
