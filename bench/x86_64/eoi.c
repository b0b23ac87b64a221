/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * End of interrupt in the xAPIC's page, with no interrupt in service: the write and
 * nothing else. APICv and AVIC do it without an exit.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "guest/x86_64/apic.h"

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	apic_enable();
	return BODY_PRESENT;
}

BODY_PAIR("mov %0, %%edx\n\t"
	  "xor %%eax, %%eax",
	  "mov %%eax, (%%rdx)", ::"i"(APIC_GPA + APIC_EOI)
	  : "eax", "edx", "cc", "memory")
