/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vCPU's states and the transitions between them: these and no others.
 *
 *   IDLE -> RUNNING                               vcpu_run()
 *        -> RUNNING_MMIO_PENDING, RUNNING_SERVICE_COMPLETION
 *                                                 the same, where the last run left off
 *   RUNNING -> RUNNING                            try again (EAGAIN; a line changed)
 *           -> RUNNING_SERVICE                    KVM_RUN returned an exit
 *           -> IDLE                               timer, kick, error
 *   RUNNING_SERVICE -> RUNNING                    served, nothing to complete
 *                   -> RUNNING_MMIO_PENDING       a device answers later
 *                   -> RUNNING_SERVICE_COMPLETION answered: the next entry completes it
 *                   -> IDLE                       the guest stopped
 *   RUNNING_MMIO_PENDING -> RUNNING_SERVICE_COMPLETION   the device answered
 *                        -> IDLE                  timer or kick: the access stays open
 *   RUNNING_SERVICE_COMPLETION -> RUNNING_SERVICE entered, and out again
 *                   -> RUNNING                    completed, then a line changed
 *                   -> RUNNING_SERVICE_COMPLETION try again
 *                   -> IDLE                       drained; timer, kick, error
 */
#ifndef WS_VMM_STATE_H
#define WS_VMM_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The states of gem5's BaseKvmCPU, whose run loop this one follows. */
enum vcpu_state {
	VCPU_IDLE,		   /* not to be run: done, stopped, or not yet started */
	VCPU_RUNNING,		   /* enter the guest */
	VCPU_RUNNING_SERVICE,	   /* KVM_RUN returned: serve the exit */
	VCPU_RUNNING_MMIO_PENDING, /* an access waits for its device's answer */
	VCPU_RUNNING_SERVICE_COMPLETION, /* answered; the next entry completes it */
	VCPU_STATES,
};

/* How often each transition was taken. */
struct state_trace {
	uint64_t taken[VCPU_STATES][VCPU_STATES];
};

/* For each state, those it may be entered from. */
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
 * Whether `to` may follow `*state`; if so it does. Inline, because it is on the path
 * of every exit and `to` is a constant there.
 */
static inline bool state_move(enum vcpu_state *state, enum vcpu_state to,
			      struct state_trace *trace)
{
	if (!(state_entered_from[to] >> *state & 1))
		return false;
	trace->taken[*state][to]++;
	*state = to;
	return true;
}

const char *state_name(enum vcpu_state state);

/* One line per transition that was taken. */
void state_trace_print(const struct state_trace *trace, FILE *out);

#endif
