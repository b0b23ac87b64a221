/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt that the host sends to the driven payload: guest/ARCH/interrupt.c. */
#ifndef WS_GUEST_INTERRUPT_H
#define WS_GUEST_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* Written by the handler: its first look at the shared clock, and one after its EOI. */
struct interrupt {
	uint64_t first, ended;
	uint64_t count;
};
extern volatile struct interrupt interrupt;

/* Routes ABI_*_IRQ_LINE to the handler and lets it in. false: no controller. */
bool interrupt_setup(void);

/*
 * Lets interrupts in where none will come, as in a guest at work. An emulator (Bochs
 * 2.7) looks at the host's interrupts only if the guest has its own on.
 */
void interrupt_allow(void);

#endif
