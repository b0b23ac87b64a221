/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INT3 in a guest that is debugged with software breakpoints (KVM_SET_GUEST_DEBUG): to
 * the VMM, which steps over it. QEMU's emulated SVM does not intercept INT3: then the
 * first one lands in the guest, and the body is absent.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "guest/x86_64/machine.h"

#define BREAKPOINT 3

static volatile uint32_t not_trapped;

static MACHINE_INTERRUPT void on_breakpoint(struct machine_frame *frame)
{
	(void)frame;
	not_trapped = 1;
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(BREAKPOINT, on_breakpoint);
	__asm__ volatile("int3" ::: "memory");
	return not_trapped ? BODY_ABSENT : BODY_PRESENT;
}

BODY_PAIR("", "int3", ::: "memory")
