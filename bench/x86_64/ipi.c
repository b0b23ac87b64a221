/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPIs to another CPU: the second vCPU, whose APIC id is 1. */
#include "bench/body.h"
#include "guest/x86_64/apic.h"

#define IPI_TARGET 1u

/* What the two CPUs share, each flag on a cache line of its own. */
struct ipi_flag {
	volatile uint32_t set;
} __attribute__((aligned(64)));

static struct ipi_flag ipi_ready, ipi_seen;
static struct ipi_flag ipi_turns; /* rounds of the target's loop */

static MACHINE_INTERRUPT void on_ipi(struct machine_frame *frame)
{
	(void)frame;
	ipi_seen.set = 1;
	apic_write(APIC_EOI, 0);
}

BODY bool ipi_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_ipi);
	apic_enable();
	apic_write(APIC_ICR_HIGH, IPI_TARGET << 24);
	while (!ipi_ready.set)
		__asm__ volatile("pause");
	return true;
}

/* From the write of the command until the sender sees that the target's handler ran. */
BODY uint64_t ipi_send(void)
{
	uint64_t start;

	ipi_seen.set = 0;
	start = measure_start();
	apic_write(APIC_ICR, APIC_ICR_FIXED | APIC_VECTOR);
	while (!ipi_seen.set)
		;
	return measure_stop() - start;
}

/* The twin: the flag is set from the beginning. */
BODY uint64_t ipi_not_send(void)
{
	uint64_t start;

	ipi_seen.set = 1;
	start = measure_start();
	while (!ipi_seen.set)
		;
	return measure_stop() - start;
}

/*
 * IPI to another vCPU that is running.
 *
 * On a KVM without VMX or SVM behind it (PVM on Linux 6.18) this does not end: the vector
 * stays in the target's IRR although RFLAGS.IF is set and neither an interrupt shadow nor
 * another interrupt blocks it, over hundreds of exits a second, until a kick.
 */
BODY void ipi_busy_secondary(uint32_t index)
{
	(void)index;
	apic_enable();
	ipi_ready.set = 1;
	__asm__ volatile("sti");
	for (;;)
		ipi_turns.set++;
}

BODY uint64_t ipi_busy_measure(void)
{
	uint32_t turns = ipi_turns.set;

	/* The last handler has returned: the target loops with interrupts enabled. */
	while (ipi_turns.set - turns < 2)
		__asm__ volatile("pause");
	return ipi_send();
}

BODY_ROW_OF(ipi_busy, .setup = ipi_setup, .measure = ipi_busy_measure,
	    .measure_twin = ipi_not_send, .secondary = ipi_busy_secondary);

/*
 * IPI to another vCPU that halted 50 us before: KVM must wake its thread, unless it still
 * polls. KVM polls up to halt_poll_ns, 200 us by default, as long as events come within
 * that time, as here: `wsbench env check` warns of it.
 */
#define WAIT_NS 50000

static uint64_t wait_ticks;

BODY bool ipi_idle_setup(const struct abi_params *params)
{
	wait_ticks = abi_ticks(params, clock_hz(), WAIT_NS);
	return ipi_setup(params);
}

/* Ready once per halt; STI opens the interrupt window only after the HLT. */
BODY void ipi_idle_secondary(uint32_t index)
{
	(void)index;
	apic_enable();
	for (;;) {
		__asm__ volatile("cli");
		ipi_ready.set = 1;
		__asm__ volatile("sti\n\t"
				 "hlt" ::
					 : "memory");
	}
}

BODY uint64_t ipi_idle_measure(void)
{
	uint64_t end;

	while (!ipi_ready.set)
		;
	end = clock_start() + wait_ticks;
	while (clock_start() < end)
		;
	ipi_ready.set = 0;
	return ipi_send();
}

BODY_ROW_OF(ipi_idle, .setup = ipi_idle_setup, .measure = ipi_idle_measure,
	    .measure_twin = ipi_not_send, .secondary = ipi_idle_secondary);
