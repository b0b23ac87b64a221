/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every payload shares: the page, the phases, faults, the end. */
#ifndef WS_GUEST_RUNTIME_H
#define WS_GUEST_RUNTIME_H

#include <stdint.h>

#include "bench/abi.h"

/* The series of `phase`; rings BEGIN where the host wants to hear it. */
uint64_t *runtime_phase_begin(enum abi_phase phase);
void runtime_phase_end(enum abi_phase phase, uint32_t samples);

/* Says how it ended and never returns. */
void runtime_stop(enum abi_state state) __attribute__((noreturn));

/*
 * Called by the architecture's vectors. Returns where to go on if the exception
 * was raised on purpose (bench/body.h, BODY_FIXUP); reports it and never
 * returns if it was not.
 */
uint64_t runtime_fault(const struct abi_fault *fault);

/* Called by the architecture's boot code; never returns. */
void runtime_main(void) __attribute__((noreturn));

/* The loop around the body: guest/sample.c. */
void sample_all(const struct abi_params *params);

/* What an architecture gives: guest/ARCH/machine.c. */
void machine_init(const struct abi_params *params);
void machine_bell(uint32_t value);
void machine_off(void) __attribute__((noreturn));

#endif
