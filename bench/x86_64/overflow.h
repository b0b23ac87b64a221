/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bodies that wait for the interrupt of a counter's overflow. Written after the manuals
 * (Intel SDM 3A, "Local Vector Table"; 3B, performance monitoring interrupts; AMD APM 2,
 * 13.2); not yet seen with a vPMU.
 */
#ifndef WS_BENCH_X86_64_OVERFLOW_H
#define WS_BENCH_X86_64_OVERFLOW_H

#include "clock.h" /* of the guest's architecture */
#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmc.h"

/* Far enough to be waiting when it comes. */
#define OVERFLOW_AFTER 10000

struct overflow {
	uint64_t before;  /* the clock, at the interrupted code's last look */
	uint64_t handled; /* at the handler's first */
	uint64_t count;	  /* the counter, just after that */
};

static volatile struct overflow overflow;

/* The delivery has masked the LVT entry: it wants to be written anew. */
static MACHINE_INTERRUPT void on_overflow(struct machine_frame *frame)
{
	(void)frame;
	overflow.handled = clock_start();
	overflow.count = pmc_read();
	if (pmc_counter.clear_msr)
		apic_wrmsr(pmc_counter.clear_msr, pmc_counter.clear);
	apic_write(APIC_LVT_PMC, APIC_VECTOR);
	apic_write(APIC_EOI, 0);
}

BODY enum body_presence overflow_setup(const struct abi_params *params)
{
	if (!(params->flags & ABI_FLAG_PMU) || !pmc_setup_interrupt(PMC_CYCLES, PMC_ANY))
		return BODY_ABSENT;
	machine_handler(APIC_VECTOR, on_overflow);
	apic_enable();
	apic_write(APIC_LVT_PMC, APIC_VECTOR);
	return BODY_PRESENT;
}

BODY struct overflow overflow_wait(void)
{
	uint64_t before, now;

	overflow.handled = 0;
	__asm__ volatile("sti" ::: "memory");
	pmc_write(-(uint64_t)OVERFLOW_AFTER);
	for (now = before = clock_start(); !overflow.handled; now = clock_start())
		before = now;
	__asm__ volatile("cli" ::: "memory");
	/* Of the last two looks one may have been made after the handler's. */
	if (now < overflow.handled)
		before = now;
	return (struct overflow){ before, overflow.handled, overflow.count };
}

#endif
