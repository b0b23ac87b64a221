/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HLT with an interrupt pending: it exits, KVM finds that there is no reason to sleep,
 * and injects the interrupt.
 *
 * The interrupt must cost no exits of its own. So the VMM raises a line of the PIC before
 * each event (host/targets/vm_setup.c), and with automatic EOI the handler has
 * nothing to write. STI lets interrupts in only after the instruction that follows it,
 * the HLT (Intel SDM 2B, STI); the handler keeps them out again. KVM may ask for an
 * interrupt window, which is a second exit, before it injects. The twin leaves the
 * interrupt pending: the next event takes it.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#define BODY_HALTS     1
#include "bench/x86_64/reload.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

#define PIC_COMMAND 0x20
#define PIC_DATA    0x21
#define PIC_BASE    0x40 /* the vector of line 0 */
#define RFLAGS_IF   0x200ull

BODY void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "d"(port));
}

static MACHINE_INTERRUPT void on_line(struct machine_frame *frame)
{
	*(volatile uint64_t *)&frame->rflags &= ~RFLAGS_IF;
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(PIC_BASE + ABI_X86_64_HLT_LINE, on_line);
	apic_enable();
	out(PIC_COMMAND, 0x11); /* initialise; ICW4 follows */
	out(PIC_DATA, PIC_BASE);
	out(PIC_DATA, 0x04); /* the other PIC is at line 2 */
	out(PIC_DATA, 0x03); /* 8086 mode, automatic EOI */
	out(PIC_DATA, (uint8_t) ~(1u << ABI_X86_64_HLT_LINE));
	return BODY_PRESENT;
}

RELOAD_PAIR("", "sti\n\thlt", ::: "cc", "memory")
