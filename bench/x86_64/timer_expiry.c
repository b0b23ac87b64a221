/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The APIC's timer: from its deadline to the handler's first look at the clock. KVM arms
 * a timer of the host's at the WRMSR, and is interrupted by it; the EOI may exit too.
 *
 * The twin waits for the same deadline by reading the clock.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#include "bench/body.h"
#include "bench/x86_64/msr.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

#define DELAY_TICKS 20000 /* longer than it takes to be back in the body */

static volatile uint64_t fired;

static MACHINE_INTERRUPT void on_timer(struct machine_frame *frame)
{
	(void)frame;
	fired = clock_start();
	apic_write(APIC_EOI, 0);
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_timer);
	return apic_enable_tsc_deadline(APIC_VECTOR) ? BODY_PRESENT : BODY_ABSENT;
}

BODY uint64_t body_measure(void)
{
	uint64_t deadline = clock_start() + DELAY_TICKS;

	fired = 0;
	__asm__ volatile("sti" ::: "memory");
	apic_wrmsr(MSR_TSC_DEADLINE, deadline);
	while (!fired)
		;
	__asm__ volatile("cli" ::: "memory");
	return fired - deadline;
}

BODY uint64_t body_measure_twin(void)
{
	uint64_t deadline = clock_start() + DELAY_TICKS, now;

	do
		now = clock_stop();
	while (now < deadline);
	return now - deadline;
}
