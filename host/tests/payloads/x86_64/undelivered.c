/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload of row self_ipi that never enables interrupts: none of them arrives. */
#include "bench/body.h"
#include "guest/x86_64/apic.h"

BODY bool undelivered_setup(const struct abi_params *params)
{
	(void)params;
	apic_enable();
	return true;
}

BODY_PAIR(undelivered,
	  "mov %0, %%edx\n\t"
	  "mov %1, %%eax",
	  "mov %%eax, (%%rdx)\n\t"
	  "nop",
	  ::"i"(APIC_GPA + APIC_ICR), "i"(APIC_ICR_SELF | APIC_ICR_FIXED | APIC_VECTOR)
	  : "rax", "edx", "cc", "memory")
BODY_ROW(undelivered, .setup = undelivered_setup);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  undelivered
#include "guest/sample.c"
