/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual timer: from its deadline to the handler's first look at the clock. The
 * guest owns the timer, but its interrupt is the host's: that is the exit.
 *
 * The twin waits for the same deadline by reading the clock.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#include "bench/body.h"
#include "guest/aarch64/gic.h"

#define DELAYS_PER_SECOND                                                                \
	100000 /* 10 us: longer than it takes to be back in the body                     \
		*/

/* The line is a level: it falls when the timer is turned off. */
GIC_HANDLER(on_timer, "mrs x1, cntvct_el0\n\t"
		      "msr cntv_ctl_el0, xzr\n\t"
		      "isb\n\t"
		      "mrs x16, " ICC_IAR1 "\n\t"
		      "msr " ICC_EOIR1 ", x16\n\t");

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init())
		return BODY_ABSENT;
	gic_enable(GIC_INTID_VTIMER);
	gic_handler(on_timer);
	return BODY_PRESENT;
}

BODY uint64_t body_measure(void)
{
	uint64_t deadline = clock_start() + clock_hz() / DELAYS_PER_SECOND;
	register uint64_t fired __asm__("x1") = 0;

	__asm__ volatile("msr cntv_cval_el0, %1\n\t"
			 "msr cntv_ctl_el0, %2\n\t"
			 "isb\n\t"
			 "1: cbz %0, 1b"
			 : "+r"(fired)
			 : "r"(deadline), "r"(1ull)
			 : "memory");
	return fired - deadline;
}

BODY uint64_t body_measure_twin(void)
{
	uint64_t deadline = clock_start() + clock_hz() / DELAYS_PER_SECOND, now;

	do
		now = clock_stop();
	while (now < deadline);
	return now - deadline;
}
