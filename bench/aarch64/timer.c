/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock: an empty region, and reads of the counters; and the generic timer. The
 * barriers are the loop's.
 */
#include "bench/body.h"
#include "guest/aarch64/gic.h"

/*
 * Nothing. The null phase measures the cost of the clock; this row proves that zero
 * remains when that cost is subtracted.
 */
BODY void null_event(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY void null_twin(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY_ROW(null);

BODY_PAIR(cntvct, "", "mrs x0, cntvct_el0", ::: "x0", "memory")
BODY_ROW(cntvct);

BODY_PAIR(cntpct, "", "mrs x0, cntpct_el0", ::: "x0", "memory")
BODY_ROW(cntpct);

/* Before the events another deadline, behind them theirs. */
#define DEADLINE_PROOF(id)                                                               \
	BODY bool id##_setup(const struct abi_params *params)                            \
	{                                                                                \
		(void)params;                                                            \
		__asm__ volatile("msr " #id "_el0, %0\n\tisb" ::"r"(1ull));              \
		return true;                                                             \
	}                                                                                \
                                                                                         \
	BODY void id##_end(void)                                                         \
	{                                                                                \
		uint64_t deadline;                                                       \
                                                                                         \
		__asm__ volatile("isb\n\tmrs %0, " #id "_el0" : "=r"(deadline));         \
		must(deadline == ~0ull);                                                 \
	}

/* CNTV_CVAL_EL0 with the timer off: the guest owns the virtual timer, no trap. */
BODY_PAIR(cntv_cval, "mov x0, #-1", "msr cntv_cval_el0, x0", ::: "x0", "memory")
DEADLINE_PROOF(cntv_cval)
BODY_ROW(cntv_cval, .setup = cntv_cval_setup, .end = cntv_cval_end);

/*
 * CNTP_CVAL_EL0 with the timer off. A VHE host passes the physical timer through; other
 * hosts emulate it, and the write traps (CNTHCTL_EL2.EL1PCEN).
 */
BODY_PAIR(cntp_cval, "mov x0, #-1", "msr cntp_cval_el0, x0", ::: "x0", "memory")
DEADLINE_PROOF(cntp_cval)
BODY_ROW(cntp_cval, .setup = cntp_cval_setup, .end = cntp_cval_end);

/*
 * The virtual timer, from its deadline to the handler's first read of the clock. The
 * guest owns the timer, but its interrupt is the host's: that is the exit. The twin waits
 * for the same deadline by reading the clock.
 */
#define DELAYS_PER_SECOND 100000 /* 10 us: longer than the return to the body */

/* The line is level-triggered: turning the timer off clears it. */
GIC_HANDLER(on_timer, "mrs x1, cntvct_el0\n\t"
		      "msr cntv_ctl_el0, xzr\n\t"
		      "isb\n\t"
		      "mrs x16, " ICC_IAR1 "\n\t"
		      "msr " ICC_EOIR1 ", x16\n\t");

BODY bool timer_expiry_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init())
		return false;
	gic_enable(GIC_INTID_VTIMER);
	gic_handler(on_timer);
	return true;
}

BODY uint64_t timer_expiry_measure(void)
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

BODY uint64_t timer_expiry_measure_twin(void)
{
	uint64_t deadline = clock_start() + clock_hz() / DELAYS_PER_SECOND, now;

	do
		now = clock_stop();
	while (now < deadline);
	return now - deadline;
}

BODY_ROW_OF(timer_expiry, .setup = timer_expiry_setup, .measure = timer_expiry_measure,
	    .measure_twin = timer_expiry_measure_twin);
