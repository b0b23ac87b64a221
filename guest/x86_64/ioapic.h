/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOAPIC. */
#ifndef WS_GUEST_X86_64_IOAPIC_H
#define WS_GUEST_X86_64_IOAPIC_H

#include <stdint.h>

/* Two registers per pin, the first with vector and mode. */
#define IOAPIC_REDIRECTION(pin) (0x10 + 2 * (pin))

void ioapic_write(uint32_t index, uint32_t value);

/* 0: no IOAPIC. */
uint32_t ioapic_pins(void);

/* Gives all pins of the IOAPIC, if there is one, a vector; they remain masked. */
void ioapic_set_vectors(uint8_t vector);

#endif
