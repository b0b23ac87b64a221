/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WRMSR of TSC_DEADLINE with a deadline that is past: the timer's interrupt is pending
 * at once, and its handler has ended it before the next instruction.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "bench/x86_64/msr.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

static MACHINE_INTERRUPT void on_timer(struct machine_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_timer);
	return apic_enable_tsc_deadline(APIC_VECTOR) ? BODY_PRESENT : BODY_ABSENT;
}

/* 1, not 0: that would disarm the timer. */
BODY_PAIR("mov %0, %%ecx\n\t"
	  "mov $1, %%eax\n\t"
	  "xor %%edx, %%edx\n\t"
	  "sti",
	  "wrmsr\n\t"
	  "nop\n\t"
	  "cli",
	  ::"i"(MSR_TSC_DEADLINE)
	  : "eax", "ecx", "edx", "cc", "memory")
