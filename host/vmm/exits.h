/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serving the exits that reach user space. */
#ifndef WS_VMM_EXITS_H
#define WS_VMM_EXITS_H

#include "host/vmm/vmm.h"

enum exits_answer {
	EXITS_HANDLED,	/* go on */
	EXITS_ANSWERED, /* go on; the next entry completes the access */
	EXITS_PENDING,	/* a device calls vcpu_answer() later */
	EXITS_STOP_BELL,
	EXITS_STOP_SHUTDOWN, /* vm->error says how: off, reset, crash, triple fault */
	EXITS_UNHANDLED,     /* vm->error says what it was; vm->dump has the registers */
};

/*
 * KVM_RUN failed with `err` (a positive errno) that is none of EINTR and EAGAIN: says
 * why in vm->error, as for EXITS_UNHANDLED.
 */
void exits_failed(struct vcpu *vcpu, int err);

/* "KVM_EXIT_MMIO"; NULL for a reason that is newer than this program. */
const char *exits_name(uint32_t reason);

#endif
