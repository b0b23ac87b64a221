/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that interrupt another CPU: the second vCPU. */
#ifndef WS_BENCH_AARCH64_IPI_H
#define WS_BENCH_AARCH64_IPI_H

#include "bench/body.h"
#include "guest/measure.h"
#include "guest/aarch64/gic.h"

#define IPI_INTID  1
#define IPI_TARGET 1

/* What the two CPUs tell each other, each on a line of its own. */
struct ipi_flag {
	volatile uint64_t set;
} __attribute__((aligned(64)));

static struct ipi_flag ipi_open, ipi_ready;

/* The target's rounds in its loop, for bodies whose target has one. */
__attribute__((unused)) static struct ipi_flag ipi_turns;

/* YIELD: where CPUs take turns, it is the other's. */
BODY void ipi_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* The handler's, which is assembly. */
__attribute__((used)) static struct ipi_flag ipi_seen;

GIC_HANDLER(on_ipi, "adrp x16, ipi_seen\n\t"
		    "add x16, x16, :lo12:ipi_seen\n\t"
		    "mov x17, #1\n\t"
		    "str x17, [x16]\n\t"
		    "mrs x16, " ICC_IAR1 "\n\t"
		    "msr " ICC_EOIR1 ", x16\n\t");

/* The distributor is set up: the other CPU may go on, and is waited for. */
BODY enum body_presence ipi_await_target(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
	ipi_open.set = 1;
	while (!ipi_ready.set)
		ipi_relax();
	return BODY_PRESENT;
}

BODY enum body_presence ipi_setup(void)
{
	return gic_init() ? ipi_await_target() : BODY_ABSENT;
}

/* The other CPU, until interrupts may come. */
BODY void ipi_setup_target(void)
{
	while (!ipi_open.set)
		ipi_relax();
	gic_init_cpu();
	gic_enable(IPI_INTID);
	gic_handler(on_ipi);
}

BODY void ipi_loop(void)
{
	ipi_ready.set = 1;
	for (;;) {
		ipi_turns.set++;
		ipi_relax();
	}
}

/* The last IPI's handler has returned: the target is in its loop, interrupts let in. */
BODY void ipi_await_loop(void)
{
	uint64_t turns = ipi_turns.set;

	while (ipi_turns.set - turns < 2)
		ipi_relax();
}

/* From the trapping write until the other CPU's handler is seen to run. */
BODY uint64_t ipi_send(void)
{
	uint64_t start;

	ipi_seen.set = 0;
	__asm__ volatile("dsb ish" ::: "memory");
	start = measure_start();
	__asm__ volatile("msr " ICC_SGI1R ", %0" ::"r"(GIC_SGI(IPI_INTID, IPI_TARGET))
			 : "memory");
	while (!ipi_seen.set)
		ipi_relax();
	return measure_stop() - start;
}

/* The twin: the other CPU is told nothing, and this one sees what it set itself. */
BODY uint64_t ipi_not_send(void)
{
	uint64_t start;

	ipi_seen.set = 1;
	__asm__ volatile("dsb ish" ::: "memory");
	start = measure_start();
	__asm__ volatile("nop" ::: "memory");
	while (!ipi_seen.set)
		ipi_relax();
	return measure_stop() - start;
}

#endif
