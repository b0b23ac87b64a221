/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that interrupt another CPU: the second vCPU, whose APIC id is 1. */
#ifndef WS_BENCH_X86_64_IPI_H
#define WS_BENCH_X86_64_IPI_H

#include "bench/body.h"
#include "guest/measure.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

#define IPI_TARGET 1u

/* What the two CPUs tell each other, each on a line of its own. */
struct ipi_flag {
	volatile uint32_t set;
} __attribute__((aligned(64)));

static struct ipi_flag ipi_ready, ipi_seen;

/* The target's rounds in its loop, for bodies whose target has one. */
__attribute__((unused)) static struct ipi_flag ipi_turns;

static MACHINE_INTERRUPT void on_ipi(struct machine_frame *frame)
{
	(void)frame;
	ipi_seen.set = 1;
	apic_write(APIC_EOI, 0);
}

BODY void ipi_setup(void)
{
	machine_handler(APIC_VECTOR, on_ipi);
	apic_enable();
	apic_write(APIC_ICR_HIGH, IPI_TARGET << 24);
	while (!ipi_ready.set)
		__asm__ volatile("pause");
}

/* From the command's write until the other CPU's handler is seen to run. */
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

/* The twin: the other CPU is told by memory alone. */
BODY uint64_t ipi_not_send(void)
{
	uint64_t start;

	ipi_seen.set = 1;
	start = measure_start();
	while (!ipi_seen.set)
		;
	return measure_stop() - start;
}

#endif
