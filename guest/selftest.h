/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The architecture's part of the self-tests' payload: guest/ARCH/selftest*.c. */
#ifndef WS_GUEST_SELFTEST_H
#define WS_GUEST_SELFTEST_H

#include <stdbool.h>

#include "bench/selftest.h"
#include "guest/runtime.h"

/* Stops with FAULT unless `got` equals `expected`. */
void selftest_expect(uint64_t what, uint64_t got, uint64_t expected);

/* SELFTEST_REGS: fills all registers, rings the doorbell, and stores their values. */
void selftest_regs(const struct abi_params *params, uint64_t *seen);

void selftest_access(void);

/* A 4-byte write of `value`. kind 0: MMIO; 1: a port. */
void selftest_write(unsigned int kind, uint32_t value);

/* Installs the handlers; masks interrupts; the number of interrupts so far. */
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

/* Halts the CPU until an interrupt, and handles the interrupt. */
void selftest_halt(void);

/* Reads the PMU's cycle counter; only aarch64. */
void selftest_counter(void);

/* In loops that wait for memory to change. */
void selftest_relax(void);

#endif
