/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read of ID_AA64PFR0_EL1: HCR_EL2.TID3 traps all feature registers, and KVM
 * answers what the VM was given.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("mrs x0, id_aa64pfr0_el1" ::: "x0", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "x0", "memory");
}
