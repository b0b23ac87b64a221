/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far the guest has run beyond the overflow when its handler looks at the counter:
 * what a profiler would blame on the wrong instruction. The way from the vector to the
 * handler's look, some ten instructions, is in it.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#define BODY_COUNTS    1
#include "bench/aarch64/overflow.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	return overflow_setup(params);
}

BODY uint64_t body_measure(void)
{
	return overflow_wait().count;
}

BODY uint64_t body_measure_nothing(void)
{
	return 0;
}

/* A counter that interrupts at once. */
BODY uint64_t body_measure_twin(void)
{
	return 0;
}
