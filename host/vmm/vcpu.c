/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPU run loop: tick by tick through the states of state.h. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/vmm/arch.h"
#include "host/vmm/exits_hot.h"
#include "host/vmm/io.h"
#include "host/vmm/kick.h"
#include "host/vmm/loop.h"
#include "host/vmm/regs.h"
#include "host/vmm/timer.h"

static void __attribute__((noreturn, cold)) refuse(struct vcpu *vcpu, enum vcpu_state to)
{
	char registers[1024];

	vcpu_dump(vcpu, registers, sizeof(registers));
	fprintf(stderr, "wsbench: vCPU %u: illegal transition %s -> %s; %s\n",
		vcpu->index, state_name(vcpu->state), state_name(to), registers);
	abort();
}

/* Anything that state.h does not list is a programming error. */
static inline void state_enter(struct vcpu *vcpu, enum vcpu_state to)
{
	if (__builtin_expect(!state_move(&vcpu->state, to, &vcpu->trace), 0))
		refuse(vcpu, to);
}

static void stop(struct vcpu *vcpu, enum vcpu_stop why, enum vcpu_state resume)
{
	vcpu->stop = why;
	vcpu->resume = resume;
	state_enter(vcpu, VCPU_IDLE);
}

/* What a kick, the run timer or the watchdog asks for; VCPU_STOP_NONE: nothing. */
static enum vcpu_stop asked_to_stop(struct vcpu *vcpu)
{
	if (kick_taken(vcpu))
		return VCPU_STOP_KICK;
	if (watchdog_expired())
		return VCPU_STOP_TIMEOUT;
	return timer_expired() ? VCPU_STOP_BUDGET : VCPU_STOP_NONE;
}

/*
 * KVM_RUN ended without an exit: the vCPU is asked to stop, or, on arm64 without an
 * in-kernel GIC, a timer or PMU line changed.
 */
static void interrupted(struct vcpu *vcpu, enum vcpu_state resume)
{
	enum vcpu_stop why;

	vcpu->stats.exit_signal++;
	io_drain_rings(vcpu);
	why = asked_to_stop(vcpu);
	if (why != VCPU_STOP_NONE)
		stop(vcpu, why, resume);
	else
		state_enter(vcpu, resume);
}

/* One KVM_RUN. The access that it completes is complete even if it says EINTR. */
static inline __attribute__((always_inline)) void enter(struct vcpu *vcpu)
{
	int err;

	if (regs_before_run(vcpu)) {
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
		return;
	}
	err = ioctl(vcpu->fd, KVM_RUN, 0) ? errno : 0;
	if (regs_after_run(vcpu)) {
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
	} else if (!err) {
		vcpu->stats.vm_exits++;
		state_enter(vcpu, VCPU_RUNNING_SERVICE);
	} else if (err == EINTR) {
		interrupted(vcpu, VCPU_RUNNING);
	} else if (err == EAGAIN) {
		state_enter(vcpu, vcpu->state);
	} else {
		exits_failed(vcpu, err);
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
	}
}

static inline __attribute__((always_inline)) void serve(struct vcpu *vcpu)
{
	switch (exits_serve(vcpu)) {
	case EXITS_HANDLED:
		state_enter(vcpu, VCPU_RUNNING);
		break;
	case EXITS_ANSWERED:
		state_enter(vcpu, VCPU_RUNNING_SERVICE_COMPLETION);
		break;
	case EXITS_PENDING:
		state_enter(vcpu, VCPU_RUNNING_MMIO_PENDING);
		break;
	case EXITS_STOP_DOORBELL:
		/* The write that rang is not complete in the guest's registers. */
		stop(vcpu, VCPU_STOP_DOORBELL, VCPU_RUNNING_SERVICE_COMPLETION);
		break;
	case EXITS_STOP_SHUTDOWN:
		stop(vcpu, VCPU_STOP_SHUTDOWN, VCPU_IDLE);
		break;
	case EXITS_UNHANDLED:
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
		break;
	}
}

/* Sleeps until the device has answered, or somebody wants us out. */
static void await_answer(struct vcpu *vcpu)
{
	enum vcpu_stop why;

	if (!kick_wait_answer(vcpu)) {
		state_enter(vcpu, VCPU_RUNNING_SERVICE_COMPLETION);
		return;
	}
	why = asked_to_stop(vcpu);
	if (why != VCPU_STOP_NONE)
		stop(vcpu, why, VCPU_RUNNING_MMIO_PENDING);
}

int vcpu_begin(struct vcpu *vcpu, struct run_timer *budget)
{
	int err;

	vcpu->stop = VCPU_STOP_NONE;
	kick_begin(vcpu);
	err = timer_arm(budget);
	if (!err)
		return 0;
	kick_end();
	return vcpu_fail(vcpu, err, "cannot arm the run timer: %s", strerror(-err));
}

int vcpu_end(struct vcpu *vcpu, struct run_timer *budget)
{
	timer_disarm(budget);
	kick_end();
	return vcpu->stop == VCPU_STOP_ERROR ? -EIO : 0;
}

int vcpu_run(struct vcpu *vcpu, struct run_timer *budget)
{
	int err = vcpu_begin(vcpu, budget);
	enum vcpu_stop why;

	if (err)
		return err;
	state_enter(vcpu, vcpu->resume == VCPU_IDLE ? VCPU_RUNNING : vcpu->resume);
	/* Also what was asked for before this thread could be interrupted. */
	why = asked_to_stop(vcpu);
	if (why != VCPU_STOP_NONE)
		stop(vcpu, why, vcpu->state);
	/* Most entries end with an exit to serve. */
	while (vcpu->state != VCPU_IDLE) {
		if (__builtin_expect(vcpu->state == VCPU_RUNNING_MMIO_PENDING, 0))
			await_answer(vcpu);
		else
			enter(vcpu);
		if (__builtin_expect(vcpu->state == VCPU_RUNNING_SERVICE, 1))
			serve(vcpu);
	}
	return vcpu_end(vcpu, budget);
}

int vcpu_drain(struct vcpu *vcpu)
{
	int err;

	if (vcpu->resume != VCPU_RUNNING_SERVICE_COMPLETION)
		return 0;
	state_enter(vcpu, VCPU_RUNNING_SERVICE_COMPLETION);
	vcpu->stats.vm_half_entries++;
	if (regs_before_run(vcpu)) {
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
		return -EIO;
	}
	/* Completes what is pending, then sees the flag before it enters the guest. */
	vcpu->run->immediate_exit = 1;
	err = ioctl(vcpu->fd, KVM_RUN, 0) ? errno : 0;
	if (regs_after_run(vcpu)) {
		vcpu->run->immediate_exit = 0;
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
		return -EIO;
	}
	if (!err) {
		/* Completing needed more from us: an access in several fragments. */
		vcpu->stats.vm_exits++;
		state_enter(vcpu, VCPU_RUNNING_SERVICE);
		serve(vcpu);
		vcpu->run->immediate_exit = 0;
		if (vcpu->state == VCPU_RUNNING_SERVICE_COMPLETION)
			stop(vcpu, VCPU_STOP_DRAINED, VCPU_RUNNING_SERVICE_COMPLETION);
		else if (vcpu->state == VCPU_RUNNING)
			stop(vcpu, VCPU_STOP_DRAINED, VCPU_RUNNING);
		return vcpu->stop == VCPU_STOP_ERROR ? -EIO : vcpu_drain(vcpu);
	}
	vcpu->run->immediate_exit = 0;
	if (err == EINTR) {
		stop(vcpu, VCPU_STOP_DRAINED, VCPU_RUNNING);
		return 0;
	}
	exits_failed(vcpu, err);
	stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
	return -EIO;
}

int vcpu_enter_immediate(struct vcpu *vcpu)
{
	int ret;

	vcpu->run->immediate_exit = 1;
	ret = ioctl(vcpu->fd, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	if (ret && errno == EINTR)
		return 0;
	return vcpu_fail(vcpu, -EIO, "KVM_RUN with immediate_exit did not return EINTR");
}

void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes)
{
	arch_vcpu_dump(vcpu, text, bytes);
}
