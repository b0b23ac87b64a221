/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that wait for the interrupt of the cycle counter's overflow. */
#ifndef WS_BENCH_AARCH64_OVERFLOW_H
#define WS_BENCH_AARCH64_OVERFLOW_H

#include "clock.h" /* of the guest's architecture */
#include "bench/body.h"
#include "guest/aarch64/gic.h"

#define OVERFLOW_INTID 23 /* PPI 7, as host/vmm/aarch64/arch.c has it */
#define OVERFLOW_CYCLES                                                                  \
	(1ull << 31) /* the cycle counter's bit in PMOVSCLR_EL0 and kin                  \
		      */

/* Far enough to be waiting when it comes. */
#define OVERFLOW_AFTER 10000

/*
 * X1: the clock, first of all; X3: the counter, which the overflow made 0. The line is a
 * level: it falls when the overflow's flag does.
 */
GIC_HANDLER(on_overflow, "isb\n\t"
			 "mrs x1, cntvct_el0\n\t"
			 "isb\n\t"
			 "mrs x3, pmccntr_el0\n\t"
			 "mov x16, #0x80000000\n\t"
			 "msr pmovsclr_el0, x16\n\t"
			 "isb\n\t"
			 "mrs x16, " ICC_IAR1 "\n\t"
			 "msr " ICC_EOIR1 ", x16\n\t");

/* machine.c has set the cycle counter going. */
BODY enum body_presence overflow_setup(const struct abi_params *params)
{
	if (!(params->flags & ABI_FLAG_PMU) || !gic_init())
		return BODY_ABSENT;
	__asm__ volatile("msr pmintenset_el1, %0\n\t"
			 "isb" ::"r"(OVERFLOW_CYCLES));
	gic_enable(OVERFLOW_INTID);
	gic_handler(on_overflow);
	return BODY_PRESENT;
}

struct overflow {
	uint64_t before;  /* the clock, at the interrupted code's last look */
	uint64_t handled; /* at the handler's first */
	uint64_t count;	  /* the counter, just after that */
};

BODY struct overflow overflow_wait(void)
{
	register uint64_t handled __asm__("x1") = 0;
	register uint64_t before __asm__("x2");
	register uint64_t count __asm__("x3");

	__asm__ volatile("msr pmccntr_el0, %3\n\t"
			 "isb\n\t"
			 "1: mrs %1, cntvct_el0\n\t"
			 "cbz %0, 1b"
			 : "+r"(handled), "=r"(before), "=r"(count)
			 : "r"(-(uint64_t)OVERFLOW_AFTER)
			 : "memory");
	return (struct overflow){ before, handled, count };
}

#endif
