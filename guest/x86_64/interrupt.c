/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's interrupt on a PC: an edge on an IOAPIC pin, to the local APIC. */
#include "clock.h"
#include "guest/runtime.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

/* Index register and data window; two indices per redirection entry (82093AA). */
#define IOAPIC_GPA		0xfec00000
#define IOAPIC_WINDOW		(IOAPIC_GPA + 0x10)
#define IOAPIC_VERSION		1
#define IOAPIC_REDIRECTION(pin) (0x10 + 2 * (pin))

#define VECTOR ABI_X86_64_MSI_VECTOR /* of line and message */

volatile struct interrupt interrupt;

static void ioapic_write(uint32_t index, uint32_t value)
{
	*(volatile uint32_t *)(uint64_t)IOAPIC_GPA = index;
	*(volatile uint32_t *)(uint64_t)IOAPIC_WINDOW = value;
}

static uint32_t ioapic_read(uint32_t index)
{
	*(volatile uint32_t *)(uint64_t)IOAPIC_GPA = index;
	return *(volatile uint32_t *)(uint64_t)IOAPIC_WINDOW;
}

static MACHINE_INTERRUPT void on_line(struct machine_frame *frame)
{
	(void)frame;
	interrupt.first = clock_shared();
	apic_write(APIC_EOI, 0);
	interrupt.ended = clock_shared();
	interrupt.count++;
}

void interrupt_allow(void)
{
	__asm__ volatile("sti" ::: "memory");
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
	/* Without an IOAPIC, the VMM returns all ones. */
	if (ioapic_read(IOAPIC_VERSION) == ~0u)
		return false;
	setup_apic();
	/* Fixed, edge, active high, unmasked, to APIC 0. */
	ioapic_write(IOAPIC_REDIRECTION(ABI_X86_64_IRQ_LINE) + 1, 0);
	ioapic_write(IOAPIC_REDIRECTION(ABI_X86_64_IRQ_LINE), VECTOR);
	interrupt_allow();
	return true;
}
