/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the run loop share: vcpu_run.c, vcpu_run_bare.c, exits.c, io.c, and
 * kick.c with the signals of the VMM.
 */
#ifndef WS_VMM_EXITS_H
#define WS_VMM_EXITS_H

#include <signal.h>

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
