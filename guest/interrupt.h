/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's interrupt to the payload `host_timed`: guest/ARCH/interrupt.c. */
#ifndef WS_GUEST_INTERRUPT_H
#define WS_GUEST_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* Written by the handler: the shared clock, at first and after the EOI. */
struct interrupt {
	uint64_t first, ended;
	uint64_t count;
};
extern volatile struct interrupt interrupt;

/* Routes ABI_*_IRQ_LINE to the handler and enables interrupts. false: no controller. */
bool interrupt_setup(void);

/*
 * Enables interrupts although none will come, as in an ordinary guest. An emulator (Bochs
 * 2.7) checks for the host's interrupts only while the guest has interrupts enabled.
 */
void interrupt_allow(void);

#endif
