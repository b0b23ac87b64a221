/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture gives to the self-tests' payload: guest/ARCH/selftest.c. */
#ifndef WS_GUEST_SELFTEST_H
#define WS_GUEST_SELFTEST_H

#include <stdbool.h>

#include "bench/selftest.h"
#include "guest/runtime.h"

/* Stops with FAULT unless they are the same. */
void selftest_expect(uint64_t what, uint64_t got, uint64_t expected);

/* SELFTEST_REGS: fills all registers, rings, and stores what is in them then. */
void selftest_regs(const struct abi_params *params, uint64_t *seen);

void selftest_access(void);

/* A 4-byte write of `value` to a place of the kind: 0 memory, 1 port. */
void selftest_write(unsigned int kind, uint32_t value);

/* Makes interrupts count; takes them; one of them, and how many came so far. */
void selftest_irq_init(void);
void selftest_irq_mask(bool masked);
uint64_t selftest_irqs(unsigned int which);

void selftest_breakpoint(void);
uint64_t selftest_hypercall(void);
void selftest_pmu_msrs(void); /* x86_64 */
void selftest_bus_lock(void);

/* SELFTEST_BREAK. */
void selftest_break(enum selftest_break how);

/* Sets interrupts up for LPIs; raises one. */
void selftest_lpi_init(void);
void selftest_lpi(void);

/* Waits for an interrupt, with the CPU halted, and takes it. */
void selftest_halt(void);

/* Reads the PMU's cycle counter, where the architecture's tests want it. */
void selftest_counter(void);

/* Called where a loop waits for memory to change. */
void selftest_relax(void);

#endif
