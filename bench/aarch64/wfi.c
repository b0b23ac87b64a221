/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WFI, which traps (HCR_EL2.TWI), with something to do: KVM asks whether an interrupt
 * is pending before it lets the thread sleep, and goes back in at once.
 *
 * The CPU must not see that interrupt, or WFI would have nothing to wait for and need
 * not trap. So its group is shut at the CPU interface, which KVM does not look at:
 * for it, an interrupt that is pending, enabled and not masked by priority is reason
 * enough (kvm_vgic_vcpu_pending_irq()).
 */
#define BODY_HAS_SETUP 1
#define BODY_HALTS     1
#include "bench/body.h"
#include "guest/aarch64/gic.h"

#define INTID 1

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init())
		return BODY_ABSENT;
	gic_let_through(false);
	gic_enable(INTID);
	__asm__ volatile("msr " ICC_SGI1R ", %0\n\t"
			 "isb" ::"r"(GIC_SGI(INTID, 0)));
	return BODY_PRESENT;
}

BODY void body(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("nop" ::: "memory");
}
