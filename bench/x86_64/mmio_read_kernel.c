/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-byte load of the IOAPIC's index register: KVM emulates the instruction as it does
 * for mmio_read_user, and answers it itself. Not the LAPIC's page, which a CPU with
 * APICv or AVIC reads without an exit.
 */
#include "bench/body.h"

#define IOAPIC_GPA 0xfec00000

BODY_PAIR("mov %0, %%edx", "mov (%%rdx), %%eax", ::"i"(IOAPIC_GPA)
	  : "eax", "edx", "memory")
