/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a vCPU and every legal transition.
 *
 *   IDLE -> RUNNING                               vcpu_run()
 *        -> RUNNING_MMIO_PENDING, RUNNING_SERVICE_COMPLETION
 *                                                 vcpu_run() continues a stopped run
 *   RUNNING -> RUNNING                            EAGAIN; a line changed
 *           -> RUNNING_SERVICE                    KVM_RUN returned an exit
 *           -> IDLE                               timer, kick, error
 *   RUNNING_SERVICE -> RUNNING                    served, nothing to complete
 *                   -> RUNNING_MMIO_PENDING       a device answers later
 *                   -> RUNNING_SERVICE_COMPLETION answered: the next entry completes it
 *                   -> IDLE                       the guest stopped, or an error
 *   RUNNING_MMIO_PENDING -> RUNNING_SERVICE_COMPLETION   the device answered
 *                        -> IDLE                  timer or kick: the access stays pending
 *   RUNNING_SERVICE_COMPLETION -> RUNNING_SERVICE completed, then KVM_RUN returned an
 * exit
 *                   -> RUNNING                    completed, then a line changed
 *                   -> RUNNING_SERVICE_COMPLETION EAGAIN
 *                   -> IDLE                       drained; timer, kick, error
 */
#ifndef WS_VMM_STATE_H
#define WS_VMM_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The states of gem5's BaseKvmCPU, whose run loop this one follows. */
enum vcpu_state {
	VCPU_IDLE,			 /* not running: not yet started, or stopped */
	VCPU_RUNNING,			 /* enter the guest */
	VCPU_RUNNING_SERVICE,		 /* KVM_RUN returned: serve the exit */
	VCPU_RUNNING_MMIO_PENDING,	 /* wait for a device's answer: vcpu_answer() */
	VCPU_RUNNING_SERVICE_COMPLETION, /* enter the guest; KVM completes an access */
	VCPU_STATES,
};

/* How often each transition happened. The new state comes first: on the path of an exit
 * it is a constant, and the counter's address needs no multiplication. */
struct state_trace {
	uint64_t taken[VCPU_STATES][VCPU_STATES]; /* [to][from] */
};

/* For each state, the states before it. */
#define FROM(state) (1u << (state))
static const uint8_t state_entered_from[VCPU_STATES] = {
	[VCPU_IDLE] = FROM(VCPU_RUNNING) | FROM(VCPU_RUNNING_SERVICE) |
		      FROM(VCPU_RUNNING_MMIO_PENDING) |
		      FROM(VCPU_RUNNING_SERVICE_COMPLETION),
	[VCPU_RUNNING] = FROM(VCPU_IDLE) | FROM(VCPU_RUNNING) |
			 FROM(VCPU_RUNNING_SERVICE) |
			 FROM(VCPU_RUNNING_SERVICE_COMPLETION),
	[VCPU_RUNNING_SERVICE] =
		FROM(VCPU_RUNNING) | FROM(VCPU_RUNNING_SERVICE_COMPLETION),
	[VCPU_RUNNING_MMIO_PENDING] = FROM(VCPU_IDLE) | FROM(VCPU_RUNNING_SERVICE),
	[VCPU_RUNNING_SERVICE_COMPLETION] = FROM(VCPU_IDLE) | FROM(VCPU_RUNNING_SERVICE) |
					    FROM(VCPU_RUNNING_MMIO_PENDING) |
					    FROM(VCPU_RUNNING_SERVICE_COMPLETION),
};
#undef FROM

/*
 * Moves `*state` to `to`; false if that is not a legal transition. Inline because it is
 * on the path of every exit, with a constant `to`.
 */
static inline bool state_move(enum vcpu_state *state, enum vcpu_state to,
			      struct state_trace *trace)
{
	if (!(state_entered_from[to] >> *state & 1))
		return false;
	trace->taken[to][*state]++;
	*state = to;
	return true;
}

/* One line per transition that happened. */
void state_trace_print(const struct state_trace *trace, FILE *out);

#endif
