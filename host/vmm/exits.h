/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the run loop share: vcpu_run.c, vcpu_run_bare.c, exits.c, io.c. */
#ifndef WS_VMM_EXITS_H
#define WS_VMM_EXITS_H

#include "host/vmm/vmm.h"

/* How an exit was served, which decides the vCPU's next state. */
enum exits_answer {
	EXITS_HANDLED,	/* continue */
	EXITS_ANSWERED, /* continue; the next entry completes the access */
	EXITS_PENDING,	/* wait for vcpu_answer() */
	EXITS_STOP_DOORBELL,
	EXITS_STOP_SHUTDOWN, /* vcpu->error: power off, reset, crash, triple fault */
	EXITS_UNHANDLED,     /* vcpu->error: the exit; *vcpu->dump: all registers */
};

/* Makes the calling thread the vCPU's and starts the run timer. 0 or -errno. */
int vcpu_begin(struct vcpu *vcpu, struct run_timer *budget);

/* Undoes vcpu_begin(). -EIO after VCPU_STOP_ERROR. */
int vcpu_end(struct vcpu *vcpu, struct run_timer *budget);

/* Waits for vcpu_answer(). 0, or -EINTR if a kick, timer or deadline came first. */
int vcpu_wait_answer(struct vcpu *vcpu);

/* Serves all exits except PIO and MMIO. */
enum exits_answer exits_serve(struct vcpu *vcpu);

/* KVM_EXIT_SHUTDOWN and KVM_EXIT_SYSTEM_EVENT: EXITS_STOP_SHUTDOWN or _UNHANDLED. */
enum exits_answer exits_shutdown(struct vcpu *vcpu);

/* Injects queued interrupts. Returns `answer`, or EXITS_UNHANDLED. */
enum exits_answer exits_deliver_irq(struct vcpu *vcpu, enum exits_answer answer);

/* EXITS_UNHANDLED, with the exit's name, the formatted cause and the registers. */
enum exits_answer exits_unhandled(struct vcpu *vcpu, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* KVM_RUN failed with `err`, neither -EINTR nor -EAGAIN: as exits_unhandled(). */
void exits_run_failed(struct vcpu *vcpu, int err);

/* "KVM_EXIT_MMIO"; NULL: a reason without a name. */
const char *exits_name(uint32_t reason);

#endif
