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
	EXITS_STOP_SHUTDOWN,
	EXITS_UNHANDLED, /* vm->error says what it was */
};

/* What to do about vcpu->run->exit_reason. */
enum exits_answer exits_serve(struct vcpu *vcpu);

#endif
