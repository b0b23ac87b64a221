/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serving the exits that reach user space. */
#ifndef WS_VMM_EXITS_H
#define WS_VMM_EXITS_H

#include "host/vmm/vmm.h"

enum exits_answer {
	EXITS_HANDLED,	/* go on */
	EXITS_ANSWERED, /* go on; the next entry completes the access */
	EXITS_PENDING,	/* a device calls vcpu_answer() later */
	EXITS_STOP_DOORBELL,
	EXITS_STOP_SHUTDOWN, /* vcpu->error says how: off, reset, crash, triple fault */
	EXITS_UNHANDLED, /* vcpu->error says what it was; *vcpu->dump has the registers */
};

/*
 * KVM_RUN failed with `err` (a positive errno) that is none of EINTR and EAGAIN: says
 * why in vcpu->error, as for EXITS_UNHANDLED.
 */
void exits_failed(struct vcpu *vcpu, int err);

/* KVM_EXIT_SHUTDOWN and KVM_EXIT_SYSTEM_EVENT: EXITS_STOP_SHUTDOWN or _UNHANDLED. */
enum exits_answer exits_shutdown(struct vcpu *vcpu);

/* "KVM_EXIT_MMIO"; NULL for a reason that is newer than this program. */
const char *exits_name(uint32_t reason);

#endif
