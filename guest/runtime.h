/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every payload shares: the page, the phases, faults, the end. */
#ifndef WS_GUEST_RUNTIME_H
#define WS_GUEST_RUNTIME_H

#include <stdint.h>

#include "bench/abi.h"

/*
 * Assembly between two local labels that may raise an exception on purpose: the vectors
 * recognise the faulting instruction at `insn`, count one fault, and resume at `resume`.
 * Both are labels such as "1b" and "2b".
 */
#define RUNTIME_FIXUP(insn, resume)                                                      \
	".pushsection .fixup, \"a\"\n\t"                                                 \
	".quad " insn ", " resume "\n\t"                                                 \
	".popsection\n\t"

/* The series of `phase`; rings BEGIN where the host wants to hear it. */
uint64_t *runtime_phase_begin(enum abi_phase phase);
void runtime_phase_end(enum abi_phase phase, uint32_t samples);

/* A series that no phase of its own filled has so many samples. */
void runtime_series_end(enum abi_phase series, uint32_t samples);

/* The series of a phase, and one doorbell that names the phase; neither changes it. */
uint64_t *runtime_series(enum abi_phase phase);
void runtime_doorbell(enum abi_doorbell doorbell);

/* Times the loop that tells the CPU's speed by the clock's. */
void runtime_pace(enum abi_pace when);

/* What the host reads if the boot ends here. */
void runtime_state(enum abi_state state);

/* Says how it ended and never returns. */
void runtime_stop(enum abi_state state) __attribute__((noreturn));

/*
 * Called by the architecture's vectors. Returns where to go on if the exception
 * was raised on purpose (RUNTIME_FIXUP()); reports it and never
 * returns if it was not.
 */
uint64_t runtime_fault(const struct abi_fault *fault);

/* Called by the architecture's boot code; never returns. */
void runtime_main(void) __attribute__((noreturn));

/* The same on the other CPUs, each with its index, from 1. */
void runtime_secondary(uint32_t index) __attribute__((noreturn));

/* What a boot is for: guest/sample.c, or guest/driven.c where the host times. */
void sample_all(const struct abi_params *params);

/* What the other CPUs do; nothing, where the body has nothing for them. */
void sample_secondary(uint32_t index);

/* What an architecture gives: guest/ARCH/machine.c. */
void machine_init(const struct abi_params *params);
void machine_doorbell(uint32_t value);
void machine_off(void) __attribute__((noreturn));
void machine_relax(void); /* in a loop that waits: another CPU may go first */
void machine_park(void) __attribute__((noreturn)); /* this CPU has nothing to do */

#endif
