/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software-generated interrupts to another CPU: the second vCPU. */
#include "bench/body.h"
#include "guest/aarch64/gic.h"

#define IPI_INTID  1
#define IPI_TARGET 1

/* What the two CPUs share, each flag on a cache line of its own. */
struct ipi_flag {
	volatile uint64_t set;
} __attribute__((aligned(64)));

static struct ipi_flag ipi_open, ipi_ready;
static struct ipi_flag ipi_turns; /* rounds of the target's loop */

/* YIELD: an emulator that runs the CPUs in turns switches to the other CPU. */
BODY void ipi_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* Set by the handler, which is assembly. */
__attribute__((used)) static struct ipi_flag ipi_seen;

GIC_HANDLER(on_ipi, "adrp x16, ipi_seen\n\t"
		    "add x16, x16, :lo12:ipi_seen\n\t"
		    "mov x17, #1\n\t"
		    "str x17, [x16]\n\t"
		    "mrs x16, " ICC_IAR1 "\n\t"
		    "msr " ICC_EOIR1 ", x16\n\t");

/* The distributor is set up: releases the other CPU and waits for it. */
BODY bool ipi_await_target(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
	ipi_open.set = 1;
	while (!ipi_ready.set)
		ipi_relax();
	return true;
}

BODY bool ipi_setup(const struct abi_params *params)
{
	(void)params;
	return gic_init() && ipi_await_target();
}

/* The other CPU, until its interrupts are enabled. */
BODY void ipi_setup_target(void)
{
	while (!ipi_open.set)
		ipi_relax();
	gic_init_cpu();
	gic_enable(IPI_INTID);
	gic_handler(on_ipi);
}

/* From the trapping write until the sender sees that the target's handler ran. */
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

/* The twin: the flag is set from the beginning. */
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

/* SGI to another vCPU that is running: KVM must kick it, or the GIC of its CPU does. */
BODY void ipi_busy_secondary(uint32_t index)
{
	(void)index;
	ipi_setup_target();
	ipi_ready.set = 1;
	for (;;) {
		ipi_turns.set++;
		ipi_relax();
	}
}

BODY uint64_t ipi_busy_measure(void)
{
	uint64_t turns = ipi_turns.set;

	/* The last handler has returned: the target loops with interrupts enabled. */
	while (ipi_turns.set - turns < 2)
		ipi_relax();
	return ipi_send();
}

BODY_ROW_OF(ipi_busy, .setup = ipi_setup, .measure = ipi_busy_measure,
	    .measure_twin = ipi_not_send, .secondary = ipi_busy_secondary);

/*
 * The same, delivered by the GIC itself (GICv4.1): ICC_SGI1R_EL1 still traps, but no host
 * interrupt is needed between the two CPUs. Absent where the distributor does not offer
 * direct delivery.
 */
BODY bool ipi_hw_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init() || !gic_deliver_sgis_directly())
		return false;
	return ipi_await_target();
}

BODY_ROW_OF(ipi_hw, .setup = ipi_hw_setup, .measure = ipi_busy_measure,
	    .measure_twin = ipi_not_send, .secondary = ipi_busy_secondary);

/*
 * SGI to another vCPU that has waited in WFI for 50 us: KVM must wake its thread, unless
 * it still polls. KVM polls up to halt_poll_ns, 500 us by default, as long as events come
 * within that time, as here: `wsbench env check` warns of it.
 */
#define WAIT_NS 50000

/* Ready once per WFI, which a pending interrupt ends even while it is masked. */
BODY void ipi_idle_secondary(uint32_t index)
{
	(void)index;
	ipi_setup_target();
	for (;;) {
		__asm__ volatile("msr daifset, #2" ::: "memory");
		ipi_ready.set = 1;
		__asm__ volatile("dsb ish\n\t"
				 "wfi\n\t"
				 "msr daifclr, #2\n\t"
				 "isb" ::
					 : "memory");
	}
}

static uint64_t wait_ticks;

BODY bool ipi_idle_setup(const struct abi_params *params)
{
	wait_ticks = abi_ticks(params, clock_hz(), WAIT_NS);
	return ipi_setup(params);
}

BODY uint64_t ipi_idle_measure(void)
{
	uint64_t end;

	while (!ipi_ready.set)
		ipi_relax();
	end = clock_start() + wait_ticks;
	while (clock_start() < end)
		;
	ipi_ready.set = 0;
	return ipi_send();
}

BODY_ROW_OF(ipi_idle, .setup = ipi_idle_setup, .measure = ipi_idle_measure,
	    .measure_twin = ipi_not_send, .secondary = ipi_idle_secondary);
