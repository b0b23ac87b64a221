/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's interrupt on a PC: an edge on an IOAPIC pin, to the local APIC. */
#include "clock.h"
#include "guest/runtime.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/ioapic.h"
#include "guest/x86_64/machine.h"

#define VECTOR ABI_X86_64_MSI_VECTOR /* of line and message */

volatile struct interrupt interrupt;

static MACHINE_INTERRUPT void on_line(struct machine_frame *frame)
{
	(void)frame;
	interrupt.first = clock_shared();
	apic_write(APIC_EOI, 0);
	interrupt.ended = clock_shared();
	interrupt.count++;
}

static void setup_apic(void)
{
	machine_handler(VECTOR, on_line);
	apic_enable();
}

/* A message goes to the local APIC: a split controller has no other in the kernel. */
bool interrupt_setup_msi(uint32_t events)
{
	/* Without a local APIC, the VMM returns all ones. */
	if (events != 1 || apic_read(APIC_VERSION) == ~0u)
		return false;
	setup_apic();
	interrupt_allow();
	return true;
}

bool interrupt_setup(void)
{
	if (!ioapic_pins())
		return false;
	setup_apic();
	/* Fixed, edge, active high, unmasked, to APIC 0. */
	ioapic_write(IOAPIC_REDIRECTION(ABI_X86_64_IRQ_LINE) + 1, 0);
	ioapic_write(IOAPIC_REDIRECTION(ABI_X86_64_IRQ_LINE), VECTOR);
	interrupt_allow();
	return true;
}
