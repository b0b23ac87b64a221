/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run loop of one vCPU, from the top:
 *
 *   vcpu_run()     ticks until the vCPU is idle; a tick is one entry and its exit
 *   enter()        KVM_RUN, with the registers that have to move around it
 *   serve()        dispatches the exit: PIO and MMIO here, all others in exits.c
 *   state_enter()  completion: the vCPU's next state; a pending access completes at the
 *                  next entry
 *
 * and how a run begins, waits, is interrupted, ends, and is drained. The states and their
 * transitions are in state.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/vmm/exits.h"
#include "host/vmm/io.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/regs.h"
#include "host/vmm/timer.h"

/*
 * Inline whatever the compiler thinks of their size: how much they cost on top of the
 * smallest loop is a figure of its own (vmm_overhead).
 */
#define hot static inline __attribute__((always_inline))

hot void enter(struct vcpu *vcpu);
hot void serve(struct vcpu *vcpu);
static void wait_for_answer(struct vcpu *vcpu);
static enum vcpu_stop stop_request(struct vcpu *vcpu);
static void stop(struct vcpu *vcpu, enum vcpu_stop why, enum vcpu_state resume);
hot void state_enter(struct vcpu *vcpu, enum vcpu_state to);

int vcpu_run(struct vcpu *vcpu, struct run_timer *budget)
{
	int err = vcpu_begin(vcpu, budget);
	enum vcpu_stop why;

	if (err)
		return err;
	state_enter(vcpu, vcpu->resume == VCPU_IDLE ? VCPU_RUNNING : vcpu->resume);
	/* A request from before vcpu_begin() has sent no signal to this thread. */
	why = stop_request(vcpu);
	if (why != VCPU_STOP_NONE)
		stop(vcpu, why, vcpu->state);
	while (vcpu->state != VCPU_IDLE) {
		if (__builtin_expect(vcpu->state == VCPU_RUNNING_MMIO_PENDING, 0)) {
			wait_for_answer(vcpu);
			continue;
		}
		enter(vcpu);
		if (__builtin_expect(vcpu->state == VCPU_RUNNING_SERVICE, 1))
			serve(vcpu);
	}
	return vcpu_end(vcpu, budget);
}

/*
 * KVM_RUN ended without an exit: a kick, the run timer or the watchdog; or, on arm64
 * without an in-kernel GIC, a change of a timer or PMU line.
 */
static void interrupted(struct vcpu *vcpu, enum vcpu_state resume)
{
	enum vcpu_stop why;

	vcpu->left = clock_glance();
	vcpu->stats.exit_signal++;
	io_drain_rings(vcpu);
	why = stop_request(vcpu);
	if (why != VCPU_STOP_NONE)
		stop(vcpu, why, resume);
	else
		state_enter(vcpu, resume);
}

/* KVM_RUN completes a pending access before it enters the guest, also if it returns
 * EINTR. */
hot void enter(struct vcpu *vcpu)
{
	int err;

	if (regs_before_run(vcpu)) {
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
		return;
	}
	err = vcpu_kvm_run(vcpu);
	if (regs_after_run(vcpu)) {
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
	} else if (!err) {
		vcpu->stats.vm_exits++;
		state_enter(vcpu, VCPU_RUNNING_SERVICE);
	} else if (err == -EINTR) {
		interrupted(vcpu, VCPU_RUNNING);
	} else if (err == -EAGAIN) {
		state_enter(vcpu, vcpu->state);
	} else {
		exits_run_failed(vcpu, err);
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
	}
}

/*
 * KVM splits a string instruction into batches of `count` items: an OUTS's data is in the
 * run page already, and an INS's is stored at the next entry.
 */
hot enum exits_answer serve_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vm_access access = {
		.address = run->io.port,
		.bytes = run->io.size,
		/* An offset from the kernel, not from the guest. */
		.data = (uint8_t *)run + run->io.data_offset,
		.is_pio = true,
		.is_write = run->io.direction == KVM_EXIT_IO_OUT,
	};
	enum exits_answer answer, worst = EXITS_ANSWERED;
	uint32_t count = run->io.count;

	vcpu->stats.io++;
	if (__builtin_expect(count == 1, 1))
		return io_access(vcpu, &access);
	for (; count; count--, access.data += access.bytes) {
		answer = io_access(vcpu, &access);
		if (answer != EXITS_ANSWERED)
			worst = answer;
	}
	return worst;
}

hot enum exits_answer serve_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct vm_access access = {
		.address = run->mmio.phys_addr,
		.bytes = run->mmio.len,
		.data = run->mmio.data,
		.is_pio = false,
		.is_write = run->mmio.is_write,
		.is_coalesced = false,
	};

	vcpu->stats.mmio++;
	if (access.bytes > sizeof(run->mmio.data))
		return exits_unhandled(vcpu, "an access of %u bytes", access.bytes);
	return io_access(vcpu, &access);
}

/* The coalesced writes came before this exit. */
hot enum exits_answer serve_exit(struct vcpu *vcpu)
{
	enum exits_answer answer;

	if (__builtin_expect(vcpu->vm->ring != NULL, 0))
		io_drain_rings(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_IO)
		answer = serve_pio(vcpu);
	else if (vcpu->run->exit_reason == KVM_EXIT_MMIO)
		answer = serve_mmio(vcpu);
	else
		answer = exits_serve(vcpu);
	if (__builtin_expect(vcpu->irqs.queued, 0))
		return exits_deliver_irq(vcpu, answer);
	return answer;
}

hot void serve(struct vcpu *vcpu)
{
	const enum exits_answer answer = serve_exit(vcpu);

	/* The plainest exit does not need the jump table of the switch. */
	if (__builtin_expect(answer == EXITS_ANSWERED, 1)) {
		state_enter(vcpu, VCPU_RUNNING_SERVICE_COMPLETION);
		return;
	}
	switch (answer) {
	case EXITS_ANSWERED:
		state_enter(vcpu, VCPU_RUNNING_SERVICE_COMPLETION);
		break;
	case EXITS_HANDLED:
		state_enter(vcpu, VCPU_RUNNING);
		break;
	case EXITS_PENDING:
		state_enter(vcpu, VCPU_RUNNING_MMIO_PENDING);
		break;
	case EXITS_STOP_DOORBELL:
		/* KVM has not yet completed the write to the doorbell. */
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

static const char *const state_names[VCPU_STATES] = {
	[VCPU_IDLE] = "Idle",
	[VCPU_RUNNING] = "Running",
	[VCPU_RUNNING_SERVICE] = "RunningService",
	[VCPU_RUNNING_MMIO_PENDING] = "RunningMMIOPending",
	[VCPU_RUNNING_SERVICE_COMPLETION] = "RunningServiceCompletion",
};

static void __attribute__((noreturn, cold)) illegal(struct vcpu *vcpu, enum vcpu_state to)
{
	char registers[1024];

	vcpu_dump(vcpu, registers, sizeof(registers));
	fprintf(stderr, "wsbench: vCPU %u: illegal transition %s -> %s; %s\n",
		vcpu->index, state_names[vcpu->state], state_names[to], registers);
	abort();
}

/* A transition that state.h does not list is a bug in this file. */
hot void state_enter(struct vcpu *vcpu, enum vcpu_state to)
{
	if (__builtin_expect(!state_move(&vcpu->state, to, &vcpu->trace), 0))
		illegal(vcpu, to);
}

static void stop(struct vcpu *vcpu, enum vcpu_stop why, enum vcpu_state resume)
{
	vcpu->stop = why;
	vcpu->resume = resume;
	state_enter(vcpu, VCPU_IDLE);
}

/* A kick, the watchdog or the run timer; VCPU_STOP_NONE: none of them. */
static enum vcpu_stop stop_request(struct vcpu *vcpu)
{
	if (kick_consume(vcpu))
		return VCPU_STOP_KICK;
	if (watchdog_expired())
		return VCPU_STOP_TIMEOUT;
	return timer_expired() ? VCPU_STOP_BUDGET : VCPU_STOP_NONE;
}

int vcpu_begin(struct vcpu *vcpu, struct run_timer *budget)
{
	int err;

	vcpu->stop = VCPU_STOP_NONE;
	kick_begin(vcpu);
	vcpu->left = 0;
	vcpu->began = clock_run();
	err = timer_arm(budget);
	if (!err)
		return 0;
	kick_end();
	return error_set(vcpu->error, err, "cannot arm the run timer: %s",
			 strerror(-err));
}

int vcpu_end(struct vcpu *vcpu, struct run_timer *budget)
{
	vcpu->ended = clock_ran();
	timer_disarm(budget);
	kick_end();
	return vcpu->stop == VCPU_STOP_ERROR ? -EIO : 0;
}

void vcpu_answer(struct vcpu *vcpu, const void *data, size_t bytes)
{
	uint64_t one = 1;

	if (bytes > sizeof(vcpu->run->mmio.data))
		bytes = sizeof(vcpu->run->mmio.data);
	memcpy(vcpu->run->mmio.data, data, bytes);
	/* Cannot fail: the counter is far from its maximum. */
	(void)!write(vcpu->answer_fd, &one, sizeof(one));
}

/*
 * The signals are unblocked in ppoll() only, so that one that arrives after the check
 * ends the wait. Not inlined: the signal sets would enlarge vcpu_run()'s stack frame.
 */
__attribute__((noinline)) int vcpu_wait_answer(struct vcpu *vcpu)
{
	struct pollfd answered = { .fd = vcpu->answer_fd, .events = POLLIN };
	sigset_t all, before, waiting;
	uint64_t answers;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	waiting = before;
	sigdelset(&waiting, SIGNAL_KICK);
	if (!__atomic_load_n(&vcpu->kicked, __ATOMIC_SEQ_CST) && !timer_expired() &&
	    !watchdog_expired())
		(void)ppoll(&answered, 1, NULL, &waiting);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (read(vcpu->answer_fd, &answers, sizeof(answers)) == sizeof(answers))
		return 0;
	return -EINTR;
}

static void wait_for_answer(struct vcpu *vcpu)
{
	enum vcpu_stop why;

	if (!vcpu_wait_answer(vcpu)) {
		state_enter(vcpu, VCPU_RUNNING_SERVICE_COMPLETION);
		return;
	}
	why = stop_request(vcpu);
	if (why != VCPU_STOP_NONE)
		stop(vcpu, why, VCPU_RUNNING_MMIO_PENDING);
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
	/* KVM completes the pending access, then checks the flag before it enters. */
	vcpu->run->immediate_exit = 1;
	err = vcpu_kvm_run(vcpu);
	if (regs_after_run(vcpu)) {
		vcpu->run->immediate_exit = 0;
		stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
		return -EIO;
	}
	if (!err) {
		/* The next fragment of an access that KVM splits. */
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
	if (err == -EINTR) {
		stop(vcpu, VCPU_STOP_DRAINED, VCPU_RUNNING);
		return 0;
	}
	exits_run_failed(vcpu, err);
	stop(vcpu, VCPU_STOP_ERROR, VCPU_IDLE);
	return -EIO;
}

int vcpu_enter_immediate(struct vcpu *vcpu)
{
	int ret;

	/* The row kvm_run_immediate_exit counts these instructions. */
	vcpu->run->immediate_exit = 1;
	ret = kvm_ioctl_raw(vcpu->fd, KVM_RUN, KVM_NONE);
	vcpu->run->immediate_exit = 0;
	if (ret && errno == EINTR)
		return 0;
	return error_set(vcpu->error, -EIO,
			 "KVM_RUN with immediate_exit did not return EINTR");
}

void state_trace_print(const struct state_trace *trace, FILE *out)
{
	int from, to;

	for (from = 0; from < VCPU_STATES; from++)
		for (to = 0; to < VCPU_STATES; to++)
			if (trace->taken[to][from])
				fprintf(out, "%-24s -> %-24s %10" PRIu64 "\n",
					state_names[from], state_names[to],
					trace->taken[to][from]);
}
