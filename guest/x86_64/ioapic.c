/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOAPIC (82093AA): an index register and a data window. */
#include "guest/x86_64/ioapic.h"

#define IOAPIC_GPA     0xfec00000
#define IOAPIC_WINDOW  (IOAPIC_GPA + 0x10)
#define IOAPIC_VERSION 1
#define IOAPIC_LAST(r) ((r) >> 16 & 0xff)
#define IOAPIC_MASKED  0x10000

void ioapic_write(uint32_t index, uint32_t value)
{
	*(volatile uint32_t *)(uint64_t)IOAPIC_GPA = index;
	*(volatile uint32_t *)(uint64_t)IOAPIC_WINDOW = value;
}

uint32_t ioapic_pins(void)
{
	uint32_t version;

	*(volatile uint32_t *)(uint64_t)IOAPIC_GPA = IOAPIC_VERSION;
	version = *(volatile uint32_t *)(uint64_t)IOAPIC_WINDOW;
	/* Without an IOAPIC, the VMM returns all ones. */
	return version == ~0u ? 0 : IOAPIC_LAST(version) + 1;
}

void ioapic_set_vectors(uint8_t vector)
{
	const uint32_t pins = ioapic_pins();
	uint32_t pin;

	for (pin = 0; pin < pins; pin++)
		ioapic_write(IOAPIC_REDIRECTION(pin), IOAPIC_MASKED | vector);
}
