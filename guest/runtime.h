/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime of a payload: the page, the phases, faults, the end of the boot; and the
 * interrupt of the host to the payload `host_timed` (guest/ARCH/interrupt.c).
 */
#ifndef WS_GUEST_RUNTIME_H
#define WS_GUEST_RUNTIME_H

#include <stdbool.h>
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

/* Rings BEGIN if the VMM handles the doorbell. Returns the series of `phase`. */
uint64_t *runtime_phase_begin(enum abi_phase phase);
void runtime_phase_end(enum abi_phase phase, uint32_t samples);

/*
 * Reads each page of the image's code, and writes to each page of the series: otherwise
 * faults of stage 2 would be part of timed events. A payload with a guest of its own does
 * this in the guest again.
 */
void runtime_touch(const struct abi_params *params);

/*
 * A payload with a guest of its own counts the guest's exits in `sum`: by 1, or, if
 * `each` is not 0, by the cause of the exit, which must be `each`.
 */
extern struct runtime_l1 {
	uint64_t sum, each;
} runtime_l1_exits;

/*
 * Interrupts so far, in rows with COUNTS_DELIVERIES. The handler adds 1, by one
 * instruction: that is part of the event.
 */
extern uint64_t runtime_deliveries;

/* Reports the length of a series without a phase of its own. */
void runtime_series_end(enum abi_phase series, uint32_t samples);

/* The series of a phase; a doorbell for the current phase. Neither changes the phase. */
uint64_t *runtime_series(enum abi_phase phase);
void runtime_doorbell(enum abi_doorbell doorbell);

/* Times the loop that shows the CPU's frequency against the clock. */
void runtime_pace(enum abi_pace when);

/* The state that the host reads if the boot ends here. */
void runtime_state(enum abi_state state);

/* Ends the boot with `state`; does not return. */
void runtime_stop(enum abi_state state) __attribute__((noreturn));

/*
 * Called by the architecture's vectors. Returns the address to resume at if the exception
 * was raised on purpose (RUNTIME_FIXUP()); otherwise reports the fault and does not
 * return.
 */
uint64_t runtime_fault(const struct abi_fault *fault);

/* Called by the architecture's boot code; does not return. */
void runtime_main(void) __attribute__((noreturn));

/* runtime_main() of the other CPUs, each with its index, from 1. */
void runtime_secondary(uint32_t index) __attribute__((noreturn));

/* The work of a boot: guest/sample.c, or guest/host_timed.c where the host times. */
void sample_all(const struct abi_params *params);

/* The work of the other CPUs; by default none. */
void sample_secondary(uint32_t index);

/* Provided by the architecture: guest/ARCH/machine.c. */
void machine_init(const struct abi_params *params);
void machine_doorbell(uint32_t value);
void machine_off(void) __attribute__((noreturn));
void machine_relax(void); /* in waiting loops: an emulator may switch to another CPU */
void machine_park(void) __attribute__((noreturn)); /* halts this CPU forever */

/* Written by the handler: the shared clock, at first and after the EOI. */
struct interrupt {
	uint64_t first, ended;
	uint64_t count;
};
extern volatile struct interrupt interrupt;

/* Routes ABI_*_IRQ_LINE to the handler and enables interrupts. false: no controller. */
bool interrupt_setup(void);

/*
 * Instead, for message-signalled interrupts: to the handler, `events` of them where an
 * ITS translates them. false: no local APIC, no ITS.
 */
bool interrupt_setup_msi(uint32_t events);

/*
 * Enables interrupts although none will come, as in an ordinary guest. An emulator (Bochs
 * 2.7) checks for the host's interrupts only while the guest has interrupts enabled.
 */
void interrupt_allow(void);

#endif
