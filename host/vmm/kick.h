/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Getting a vCPU out of the guest: the run loop's side of vcpu_kick(). */
#ifndef WS_VMM_KICK_H
#define WS_VMM_KICK_H

#include "host/vmm/vmm.h"

/* Once per VM: the handler. Once per vCPU with VM_KICK_SIGNAL_MASK: the mask. */
int kick_init(struct vcpu *vcpu);

/* The calling thread runs `vcpu` from now on, and no longer. */
void kick_begin(struct vcpu *vcpu);
void kick_end(void);

/*
 * After KVM_RUN was interrupted, and before the first one: whether somebody kicked.
 * Takes the kick: the next call says no.
 */
bool kick_taken(struct vcpu *vcpu);

/* Waits for vcpu_answer(). 0, or -EINTR if a signal came first. */
int kick_wait_answer(struct vcpu *vcpu);

#endif
