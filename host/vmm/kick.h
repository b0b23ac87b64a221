/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kicks, as seen by the run loop, and the VMM's signals. */
#ifndef WS_VMM_KICK_H
#define WS_VMM_KICK_H

#include <signal.h>

#include "host/vmm/vmm.h"

/* Real-time signals that the program uses for nothing else. */
#define SIGNAL_TIMER	(SIGRTMIN + 0)
#define SIGNAL_KICK	(SIGRTMIN + 1)
#define SIGNAL_WATCHDOG (SIGRTMIN + 2)

/* Sets up the signal handler, answer_fd, and the mask of VM_KICK_SIGNAL_MASK. */
int kick_init(struct vcpu *vcpu);

/* The calling thread runs `vcpu` from kick_begin() to kick_end(). */
void kick_begin(struct vcpu *vcpu);
void kick_end(void);

/*
 * Whether there was a kick since the last call; clears it. For the run loop, after
 * KVM_RUN returned EINTR and before the first entry.
 */
bool kick_consume(struct vcpu *vcpu);

/*
 * For signal handlers, which set a flag with the reason first: this thread's KVM_RUN
 * returns; if it is not in KVM_RUN, the next one returns at once.
 */
void kick_leave_self(void);

#endif
